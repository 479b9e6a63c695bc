"""Validates one SARIF log, from standard input, against the schema named by the only argument.

The schema asks for two formats of addresses that the library does not check without further packages; they are checked
here by the grammar of RFC 3986. Prints how many addresses it has seen; exits with 1 and the errors where there are any.
"""
import json
import re
import sys

import jsonschema

UNRESERVED = r"A-Za-z0-9\-._~"
SUB = r"!$&'()*+,;="
PCT = r"%[0-9A-Fa-f]{2}"
PCHAR = rf"(?:[{UNRESERVED}{SUB}:@]|{PCT})"
SEGMENT_NO_COLON = rf"(?:[{UNRESERVED}{SUB}@]|{PCT})+"
AUTHORITY = rf"(?:[{UNRESERVED}{SUB}:@\[\]]|{PCT})*"
TAIL = rf"(?:\?(?:{PCHAR}|[/?])*)?(?:#(?:{PCHAR}|[/?])*)?"
ABSOLUTE_PATH = rf"/(?:{PCHAR}+(?:/{PCHAR}*)*)?"
HIERARCHY = rf"(?://{AUTHORITY}(?:/{PCHAR}*)*|{ABSOLUTE_PATH}|{PCHAR}+(?:/{PCHAR}*)*|)"
RELATIVE = rf"(?://{AUTHORITY}(?:/{PCHAR}*)*|{ABSOLUTE_PATH}|{SEGMENT_NO_COLON}(?:/{PCHAR}*)*|)"
URI = re.compile(rf"[A-Za-z][A-Za-z0-9+\-.]*:{HIERARCHY}{TAIL}\Z")
REFERENCE = re.compile(rf"(?:{URI.pattern[:-2]}|{RELATIVE}{TAIL})\Z")

seen = {"uri": 0, "uri-reference": 0}
checker = jsonschema.FormatChecker()


@checker.checks("uri")
def is_uri(value):
    seen["uri"] += 1
    return not isinstance(value, str) or URI.match(value) is not None


@checker.checks("uri-reference")
def is_uri_reference(value):
    seen["uri-reference"] += 1
    return not isinstance(value, str) or REFERENCE.match(value) is not None


for text, good in [("a b", False), ("a%2", False), ("a:b/c", True), ("1:b", False), ("a/b%20c", True), ("", True)]:
    assert (REFERENCE.match(text) is not None) == good, text
for text, good in [("a/b", False), ("https://a.example/b?c#d", True), ("https://a b", False), ("file:///x", True)]:
    assert (URI.match(text) is not None) == good, text

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft7Validator.check_schema(schema)
log = json.loads(sys.stdin.buffer.read().decode("utf-8"))
errors = list(jsonschema.Draft7Validator(schema, format_checker=checker).iter_errors(log))
for error in errors[:20]:
    print("/".join(map(str, error.absolute_path)) + ": " + error.message[:300])
print(f"{seen['uri']} uri, {seen['uri-reference']} uri-reference")
sys.exit(1 if errors else 0)

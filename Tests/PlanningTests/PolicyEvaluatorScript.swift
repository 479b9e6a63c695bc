/// Evaluates admission policies for requests as the API server does.
///
/// `cel_expr_python` is the CEL authors' own implementation in C++, with its type check. What is imitated: rules, match
/// conditions (which see neither variables nor the namespace), variables with the types their expressions have,
/// validations in order, messages with the fallback for those the server does not take, audit annotations. What is not: cost
/// limits, `matchPolicy`, the server's schema of `object`, names with a NUL.
///
/// Stricter than the server: every variable is evaluated for every request, and none may fail.
let policyEvaluatorScript = #"""
    import json, os, sys
    from cel_expr_python import cel

    # With each null the binding gives up a reference to None that it does not hold; so there are spare ones, and the
    # interpreter is never taken down.
    spare = [None] * 1_000_000

    work = json.load(sys.stdin)
    types = cel.Type
    base = {"object": types.DYN, "oldObject": types.DYN}

    def compile(environment, expression, wanted):
        compiled = environment.compile(expression)
        if wanted is not None and compiled.return_type() != wanted:
            raise Exception(f"{expression}: is {compiled.return_type().name()}, not {wanted.name()}")
        return compiled

    def value(expression, data):
        result = expression.eval(data=data)
        if result.type() == types.ERROR: raise Exception(str(result.value()))
        return result.plain_value()

    class Policy:
        def __init__(self, tree):
            spec = tree["spec"]
            self.name, self.rules = tree["metadata"]["name"], spec["matchConstraints"]["resourceRules"]
            plain = cel.NewEnv(variables={**base, "request": types.DYN})
            self.conditions = [compile(plain, c["expression"], types.BOOL) for c in spec["matchConditions"]]
            known = {**base, "request": types.DYN, "namespaceObject": types.DYN}
            self.variables = []
            for variable in spec["variables"]:
                compiled = compile(cel.NewEnv(variables=known), variable["expression"], None)
                name = "variables." + variable["name"]
                assert name not in known, name
                known[name] = compiled.return_type()
                self.variables.append((name, compiled))
            whole = cel.NewEnv(variables=known)
            self.validations = [
                (compile(whole, v["expression"], types.BOOL), v["message"],
                 compile(whole, v["messageExpression"], types.STRING))
                for v in spec["validations"]]
            self.notes = [
                (a["key"], compile(whole, a["valueExpression"], types.STRING)) for a in spec["auditAnnotations"]]

        def matches(self, request):
            resource = request["resource"]
            part = "/" + request["subResource"] if "subResource" in request else ""
            return any(
                resource["group"] in r["apiGroups"] and resource["version"] in r["apiVersions"]
                and request["operation"] in r["operations"] and resource["resource"] + part in r["resources"]
                for r in self.rules)

        def ask(self, case, answer):
            data = {"object": case.get("object"), "oldObject": case.get("oldObject"), "request": case["request"]}
            if not self.matches(case["request"]): return
            try:
                if not all(value(c, data) for c in self.conditions): return
                data["namespaceObject"] = case.get("namespaceObject")
                for name, expression in self.variables: data[name] = value(expression, data)
                for expression, message, detail in self.validations:
                    text = value(detail, data)
                    if "\n" in text or not text.strip() or len(text.encode()) > 5120: text = message
                    if not value(expression, data): answer["refusals"].append({"policy": self.name, "message": text})
                for key, expression in self.notes:
                    if note := value(expression, data): answer["notes"].append(f"{self.name}/{key}: {note}")
            except Exception as error:
                answer["errors"].append(f"{self.name}: {error}")

    policies = [Policy(tree) for tree in work["policies"]]
    answers = []
    for case in work["cases"]:
        answer = {"refusals": [], "notes": [], "errors": []}
        for policy in policies: policy.ask(case, answer)
        answers.append(answer)
    json.dump(answers, sys.stdout)
    sys.stdout.flush()
    os._exit(0)
    """#

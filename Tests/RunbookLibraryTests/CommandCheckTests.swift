import RunbookLibrary
import Testing

/// Calls of `bylaw` and `kubectl`, placeholders, and shell text.
@Suite struct CommandCheckTests {
    @Test(arguments: [
        ("bylaw statsu", "bylaw statsu is not a command"),
        ("bylaw journal lst", "bylaw journal lst is not a command"),
        ("bylaw journal", "bylaw journal is no command"),
        ("bylaw", "bylaw alone does nothing"),
        ("bylaw help journals", "bylaw journals is not a command"),
        ("bylaw journal list --outcom failed", "--outcom is not a flag"),
        ("bylaw journal list -x", "-x is not a flag"),
        ("bylaw journal list --reason", "--reason needs a value"),
        ("bylaw journal list --limit many", "\"many\" is no number"),
        ("bylaw journal list --age old", "\"old\" is no time"),
        ("bylaw journal list --outcome fine", "\"fine\" is not known"),
        ("bylaw journal list --limit 1 --limit 2", "given twice"),
        ("bylaw journal list SEQ", "one word too many"),
        ("bylaw journal show", "SEQ is missing"),
        ("bylaw who-can get", "RESOURCE is missing"),
        ("bylaw journal list --reason DoorShut", "no entry has the reason DoorShut"),
        ("bylaw runbook show DoorShut", "there is no runbook DoorShut"),
        ("sudo bylaw statsu", "statsu"), ("watch -n 5 bylaw statsu", "statsu"), ("BYLAW_X=1 bylaw statsu", "statsu"),
        ("$ bylaw statsu", "statsu"), ("/usr/bin/bylaw statsu", "statsu"), ("if bylaw statsu; then true; fi", "statsu"),
        ("for n in a; do bylaw statsu; done", "statsu"), ("true && bylaw statsu", "statsu"),
        ("echo $(bylaw statsu)", "statsu"), ("echo \"`bylaw statsu`\"", "statsu"), ("(bylaw statsu)", "statsu"),
        ("true | bylaw statsu", "statsu"), ("bylaw \\\n    statsu", "statsu"),
        ("kubectl gte pods", "kubectl gte is not a command"),
        ("kubectl -n a --as=b gte pods", "kubectl gte is not a command"),
        ("kubectl auth can-u get pods", "kubectl auth can-u is not a command"),
        ("kubectl rollout again deployment a", "kubectl rollout again is not a command"),
    ])
    func findsADeadCommand(_ example: (line: String, message: String)) {
        for language in ["sh", "bash", ""] {
            let findings = SampleRunbook.findings(inBlock: example.line, language: language)
            #expect(findings.map(\.rule) == [.command], "\(findings)")
            #expect(findings.first?.message.contains(example.message) == true, "\(findings)")
            #expect(findings.first?.hint.isEmpty == false)
        }
    }

    @Test(arguments: [
        "bylaw status", "bylaw --help", "bylaw --version", "bylaw help journal", "bylaw journal --help",
        "bylaw journal list --help", "bylaw COMMAND --anything", "bylaw journal ACTION", "bylaw <command>",
        "bylaw journal list --limit N1 --age TIME --outcome OUTCOME -n NAMESPACE",
        "bylaw journal list --limit=<limit> --age <time>", "bylaw journal list --limit $N --age ${AGE}",
        "bylaw journal list --limit ... --incidents", "bylaw journal show ...", "bylaw who-can get ...",
        "bylaw who-can ...", "bylaw journal list --reason REASON", "bylaw journal list --reason synced",
        "bylaw runbook show DoorOpened", "bylaw runbook show REASON", "bylaw who-can '*' '*.*'",
        "bylaw who-can get pods -f a -f b", "bylaw who-can get pods > out.txt 2>&1", "bylaw status # what holds",
        "bylaw journal list \\\n    --incidents", "bylaw status || echo 'it''s bad'", "bylaw journal show $(cat FILE)",
        "kubectl get pods", "kubectl -n NAMESPACE get pods", "kubectl --context C1 auth can-i get pods",
        "kubectl VERB a",
        "kubectl auth --help", "kubectl rollout restart deployment NAME", "kubectl", "kubectl --help",
        "case a in a) bylaw status ;; esac", "cat <<EOF\nit's (\nEOF\nbylaw status", "git statsu", "echo bylaw statsu",
    ])
    func takesACommandThatWorks(_ line: String) {
        #expect(SampleRunbook.findings(inBlock: line) == [])
    }

    @Test func theLineIsThatOfTheCommand() {
        let findings = SampleRunbook.findings(inBlock: "bylaw status\n\nbylaw status \\\n  --bad\nbylaw statsu")
        #expect(findings.map(\.line) == [31, 33])
    }

    @Test func otherLanguagesAndOutputAreNoCommands() {
        #expect(SampleRunbook.findings(inBlock: "bylaw statsu: 'open", language: "yaml") == [])
        #expect(SampleRunbook.findings(inBlock: "$ bylaw status\nbylaw: it's statsu", language: "console") == [])
        #expect(SampleRunbook.findings(inBlock: "$ bylaw statsu\nfine", language: "console").map(\.line) == [29])
        #expect(SampleRunbook.findings(inBlock: "what's up", language: "") == [])
    }

    @Test(arguments: [
        ("`bylaw statsu now`", ["bylaw statsu is not a command"]), ("`bylaw journal show`", []),
        ("`bylaw journal`", []),
        ("``bylaw journal list --bad``", ["--bad is not a flag of bylaw journal list"]), ("`bylaw`", []),
        ("`bylaw.dev/id`", []), ("`bylaw-NAME`", []), ("`kubectl`", []), ("`kubectl delete`", []),
        ("`kubectl dlete pod`", ["kubectl dlete is not a command"]), ("`echo bylaw statsu`", []),
        ("`bylaw\nstatsu now`", ["bylaw statsu is not a command"]), ("an ` alone, bylaw statsu", []),
        ("`bylaw status 'x`", ["a quotation mark ' is not closed", "\"x\" is one word too many"]),
        ("    bylaw statsu", ["bylaw statsu is not a command"]),
    ])
    func looksAtInlineCode(_ example: (text: String, messages: [String])) {
        let findings = SampleRunbook.findings(replacing: "Close it.", with: example.text)
        #expect(findings.map(\.message) == example.messages)
    }

    @Test(arguments: [
        ("echo 'a", "a quotation mark ' is not closed", 29),
        ("true\necho \"a", "a quotation mark \" is not closed", 30),
        ("echo `a", "a backquote is not closed", 29), ("echo $(a", "a bracket ( is not closed", 29),
        ("(a", "a bracket ( is not closed", 29), ("a)", "a bracket ) closes nothing", 29),
        ("echo ${a", "a bracket { is not closed", 29), ("a >", "nothing stands after >", 29),
    ])
    func findsWhatAShellWouldRefuse(_ example: (text: String, message: String, line: Int)) {
        let findings = SampleRunbook.findings(inBlock: example.text)
        #expect(findings.map(\.rule) == [.shell])
        #expect(findings.map(\.message) == [example.message])
        #expect(findings.map(\.line) == [example.line])
    }

    @Test func aPlaceholderHasOneForm() {
        let mixed = SampleRunbook.findings(inBlock: "bylaw journal list -n <namespace>")
        #expect(mixed.map(\.rule) == [.placeholder])
        #expect(mixed.map(\.message) == ["<namespace> is written NAMESPACE elsewhere in this runbook"])
        #expect(SampleRunbook.findings(inBlock: "bylaw journal list -n <other> --limit <limit>") == [])
        #expect(SampleRunbook.findings(inBlock: "bylaw journal list -n NAMESPACE") == [])
    }

    @Test func placeholdersAreFoundAndReplaced() {
        let text = "a NAMESPACE ServiceAccount:NAMESPACE/MY_NAME <pod-name> HEAD~1 N1 X Ab 'Q"
        #expect(Placeholder.all(in: text) == ["NAMESPACE", "NAMESPACE", "MY_NAME", "<pod-name>", "N1"])
        #expect(
            Placeholder.replacing(["NAMESPACE": "x", "MY_NAME": "y", "<pod-name>": "z"], in: text)
                == "a x ServiceAccount:x/y z HEAD~1 N1 X Ab 'Q")
    }

    @Test func shellTextIsHandedOnWithItsPlace() {
        let file = RunbookFile(
            name: "a.md",
            text:
                "# A\n\n```sh\nkubectl get <kind>\n```\n\n```yaml\na: b\n```\n\n```sh\necho 'a\n```\n\n```sh\nfi\n```\n"
        )
        #expect(
            shellBlocks(of: file) == [
                ShellBlock(file: "a.md", line: 4, text: "kubectl get KIND"),
                ShellBlock(file: "a.md", line: 16, text: "fi"),
            ])
    }

    @Test func theCommandsOfASectionAreTold() {
        let all = commands(of: SampleRunbook.file, under: "Diagnosis")
        #expect(all.map(\.program) == ["bylaw", "bylaw", "kubectl"])
        #expect(all.map(\.line) == [21, 22, 23])
        #expect(all.first?.text == "bylaw journal list --reason DoorOpened --limit 5")
        #expect(commands(of: SampleRunbook.file, under: "Undo") == [])
    }
}

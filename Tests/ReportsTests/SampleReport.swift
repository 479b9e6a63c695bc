import Analysis
import Manifest
import Policy

/// A report with findings of all areas, severities and directions, as a feature branch might bring them.
let sampleReport = ChangeReport(
    base: "main", head: "feature/payments-v2", findings: sampleFindings.sorted(),
    notes: ["2 pods have no declared owner and were taken as they run", "custom resources were not looked at"],
    changedObjects: 9)

let emptyReport = ChangeReport(base: "main", head: "feature/readme", findings: [], notes: [], changedObjects: 0)

private let commit = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

func cause(
    _ resource: Resource, _ namespace: String, _ name: String, _ edit: FindingCause.Edit, _ file: String?,
    _ line: Int = 1, commit: String? = nil
) -> FindingCause {
    FindingCause(
        object: ObjectID(resource, namespace: namespace, name: name), edit: edit,
        origin: file.map { Origin(file: $0, line: line) }, commit: commit)
}

private let sampleFindings: [ChangeFinding] = [
    ChangeFinding(
        reason: .secretAccessGranted, severity: .critical, direction: .loosens,
        subject: FindingSubject(kind: "ServiceAccount", namespace: "payments", name: "api"),
        scope: "the whole cluster",
        message: "ServiceAccount payments/api can newly get,list secrets in the whole cluster",
        after: ["get,list secrets (ClusterRoleBinding api-secrets, ClusterRole secret-reader)"],
        causes: [
            cause(.clusterRoleBinding, "", "api-secrets", .added, "access/bindings.yaml", 40, commit: commit),
            cause(.clusterRole, "", "secret-reader", .changed, "access/roles.yaml", 12, commit: commit),
        ],
        guardrail: .riskyGrant),
    ChangeFinding(
        reason: .podSecurityLoosened, severity: .critical, direction: .loosens,
        subject: FindingSubject(kind: "Namespace", name: "payments"), scope: "namespace payments",
        message: "namespace payments admits privileged pods, which it refused",
        before: ["enforce=restricted (latest)"], after: ["enforce=privileged (latest)"],
        causes: [cause(.namespace, "", "payments", .changed, "namespaces/payments.yaml", 3, commit: commit)],
        guardrail: .podSecurityLoosened),
    ChangeFinding(
        reason: .isolationLost, severity: .high, direction: .loosens,
        subject: FindingSubject(kind: "Deployment", namespace: "payments", name: "db"), scope: "namespace payments",
        message: "every pod of the cluster can reach Deployment payments/db, which was isolated for ingress",
        before: ["ingress from app=api on TCP 5432"], after: ["ingress from anywhere on every port"],
        causes: [cause(.networkPolicy, "payments", "db-ingress", .removed, "network/db policy.yaml", 7)],
        guardrail: .isolationRemoved),
    ChangeFinding(
        reason: .reachabilityLost, severity: .high, direction: .breaks,
        subject: FindingSubject(kind: "Deployment", namespace: "shop", name: "web"), scope: "namespace shop",
        message: "Deployment shop/web can no longer reach kube-dns on UDP 53",
        before: ["egress to kube-system/k8s-app=kube-dns on UDP 53"],
        causes: [cause(.networkPolicy, "shop", "egress", .changed, "network/shop.yaml", 21, commit: commit)]),
    ChangeFinding(
        reason: .bindingLatent, severity: .medium, direction: .misleads,
        subject: FindingSubject(kind: "RoleBinding", namespace: "shop", name: "auditors"), scope: "namespace shop",
        message: "RoleBinding shop/auditors grants nothing until somebody makes Role shop/auditor",
        causes: [cause(.roleBinding, "shop", "auditors", .added, nil)]),
    ChangeFinding(
        reason: .quotaLoosened, severity: .low, direction: .loosens,
        subject: FindingSubject(kind: "ResourceQuota", namespace: "shop", name: "compute"), scope: "namespace shop",
        message: "ResourceQuota shop/compute allows pods=200 instead of pods=50", before: ["pods=50"],
        after: ["pods=200"], causes: [cause(.resourceQuota, "shop", "compute", .changed, "quota/shop.yaml", 5)],
        guardrail: .quotaLoosened),
    ChangeFinding(
        reason: .rightRevoked, severity: .info, direction: .tightens,
        subject: FindingSubject(kind: "Group", name: "contractors"), scope: "the whole cluster",
        message: "Group contractors can no longer get,list,watch pods in the whole cluster",
        before: ["get,list,watch pods (ClusterRoleBinding contractors, ClusterRole view)"],
        causes: [
            cause(.clusterRoleBinding, "", "contractors", .removed, "access/contractors.yaml", 1, commit: commit)
        ]),
    ChangeFinding(
        reason: .podSecurityTightened, severity: .info, direction: .tightens,
        subject: FindingSubject(kind: "Namespace", name: "shop"), scope: "namespace shop",
        message: "namespace shop refuses pods that run as root, which it admitted",
        before: ["enforce=baseline (latest)"], after: ["enforce=restricted (latest)"],
        causes: [cause(.namespace, "", "shop", .changed, "namespaces/shop.yaml", 3, commit: commit)]),
]

/// Names that try to be markup, to ping somebody, to link, to hide or to end what they stand in.
let hostileNames: [String] = [
    "@everyone", "a @octocat b", "x`</details><script>alert(1)</script>", "``` \n</details>\n# owned",
    "<img src=x onerror=alert(1)>", "a|b|c", "owner/repo#123", "#1", "!7", "GH-12", "https://evil.example/x",
    "www.evil.example", "mail@evil.example", "[click](https://evil.example)", "](https://evil.example)",
    "![x](https://evil.example/pixel)", "**bold** _it_ ~~no~~", "\u{1b}[31mred\u{1b}[0m", "\u{1b}]0;title\u{07}",
    "a\rb\u{08}c", "\u{202e}txt.exe", "zero\u{200b}width\u{feff}", "tag\u{e0041}\u{e007f}", "line\u{2028}sep",
    "]]>", "&lt;b&gt; &amp;", "\"quoted\" 'too'", "<!-- comment", "-->", "<![CDATA[x", "\u{0}\u{1}\u{b}", "\u{ffff}",
    "$`a+b`$", ":tada:", "/close", "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef", "{0} {1}", "\\", "`", "``", " `` ",
    "   ", "", "é\u{301}", "`\u{301}", "](\u{301}https://evil.example)", "../../etc/passwd", "a:b", "100%", "a b?c=d#e",
    "\u{85}\u{9b}31m", String(repeating: "`", count: 400), String(repeating: "x", count: 5_000), "a\u{a0}b", "\u{301}",
]

/// One finding for each hostile name, which stands wherever a name may.
let hostileReport = ChangeReport(
    base: "@base`</details>", head: "<b>head\u{1b}[31m",
    findings: hostileNames.enumerated().map { index, name in
        ChangeFinding(
            reason: ChangeReason.allCases[index % ChangeReason.allCases.count],
            severity: Severity.allCases[index % 5], direction: ChangeDirection.allCases[index % 4],
            subject: FindingSubject(kind: "User", namespace: name, name: name), scope: "namespace \(name)",
            message: "User \(name) can newly \(name) in \(name)", before: [name, "```"], after: [name],
            causes: [
                cause(.role, name, name, FindingCause.Edit.removed, name, index),
                cause(.roleBinding, name, name, .added, name, index, commit: name),
            ],
            guardrail: index % 2 == 0 ? .riskyGrant : nil)
    }.sorted(),
    notes: hostileNames.map { "a note on \($0)" }, changedObjects: hostileNames.count)

/// Many findings, each of an edit of its own.
func largeReport(_ count: Int) -> ChangeReport {
    ChangeReport(
        base: "main", head: "topic",
        findings: (0..<count).map { index in
            ChangeFinding(
                reason: ChangeReason.allCases[index % ChangeReason.allCases.count],
                severity: Severity.allCases[index % 5], direction: .loosens,
                subject: FindingSubject(kind: "ServiceAccount", namespace: "team-\(index)", name: "app"),
                scope: "namespace team-\(index)",
                message: "ServiceAccount team-\(index)/app can newly do what it could not",
                before: ["nothing"], after: ["something (RoleBinding team-\(index)/app)"],
                causes: [cause(.role, "team-\(index)", "app", .changed, "teams/\(index).yaml", 3)],
                guardrail: .riskyGrant)
        }.sorted(),
        notes: (0..<50).map { "namespace team-\($0) was not looked at" }, changedObjects: count)
}

/// One role that many subjects hold gains a right.
func sharedCauseReport(_ count: Int) -> ChangeReport {
    ChangeReport(
        base: "main", head: "topic",
        findings: (0..<count).map { index in
            ChangeFinding(
                reason: .secretAccessGranted, severity: .critical, direction: .loosens,
                subject: FindingSubject(kind: "ServiceAccount", namespace: "team-\(index)", name: "app"),
                scope: "namespace team-\(index)",
                message: "ServiceAccount team-\(index)/app can newly get secrets in namespace team-\(index)",
                causes: [cause(.clusterRole, "", "reader", .changed, "access/roles.yaml", 12)], guardrail: .riskyGrant)
        }.sorted(),
        notes: [], changedObjects: 1)
}

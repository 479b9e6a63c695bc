import Arguments

/// The commands of kubectl, and what each of some families has.
///
/// A plugin has no entry: kubectl finds it as a program of its own.
private let kubectlVerbs: [String: Set<String>] = [
    "annotate": [], "api-resources": [], "api-versions": [], "apply": [], "attach": [],
    "auth": ["can-i", "reconcile", "whoami"], "autoscale": [], "certificate": ["approve", "deny"],
    "cluster-info": [], "completion": [], "config": [], "cordon": [], "cp": [], "create": [], "debug": [], "delete": [],
    "describe": [], "diff": [], "drain": [], "edit": [], "events": [], "exec": [], "explain": [], "expose": [],
    "get": [],
    "help": [], "kustomize": [], "label": [], "logs": [], "options": [], "patch": [], "plugin": [], "port-forward": [],
    "proxy": [], "replace": [], "rollout": ["history", "pause", "restart", "resume", "status", "undo"], "run": [],
    "scale": [], "set": ["env", "image", "resources", "selector", "serviceaccount", "subject"], "taint": [],
    "top": ["node", "nodes", "no", "pod", "pods", "po"], "uncordon": [], "version": [], "wait": [],
]

/// Flags that may stand before the verb and take the next word.
private let kubectlFlagsWithValue: Set<String> = [
    "-n", "--namespace", "--kubeconfig", "--context", "--cluster", "--user", "--as", "--as-group", "--as-uid", "-s",
    "--server", "--token", "--request-timeout", "--cache-dir", "--certificate-authority", "--client-certificate",
    "--client-key", "--tls-server-name", "-v", "--v",
]

/// What is wrong with a call of kubectl: a verb that it does not have.
///
/// - Parameter words: The words after `kubectl`.
func kubectlMistakes(in words: [String]) -> [UsageMistake] {
    var rest = words[...]
    while let flag = rest.first, flag.hasPrefix("-") {
        rest.removeFirst()
        if kubectlFlagsWithValue.contains(flag), !rest.isEmpty { rest.removeFirst() }
    }
    guard let verb = rest.popFirst(), !Placeholder.isIn(verb) else { return [] }
    guard let family = kubectlVerbs[verb] else {
        let nearest = nearestWord(to: verb, among: kubectlVerbs.keys.sorted())
        return [
            UsageMistake(
                message: "kubectl \(verb) is not a command",
                hint: nearest.map { "Did you mean kubectl \($0)?" } ?? "Write a plugin as kubectl-\(verb).")
        ]
    }
    guard !family.isEmpty, let second = rest.first(where: { !$0.hasPrefix("-") }), !Placeholder.isIn(second),
        !family.contains(second)
    else { return [] }
    return [
        UsageMistake(
            message: "kubectl \(verb) \(second) is not a command",
            hint: "Use one of: \(family.sorted().joined(separator: ", ")).")
    ]
}

import Analysis
import Manifest
import Policy

/// Where a finding is shown: at its first cause that still stands in a file.
///
/// What was removed is shown at the top of the file it stood in, since its old line may be another's now, or none.
/// Where nothing of it is in a file, it is shown at the top of `fallbackFile`.
func location(of finding: ChangeFinding, fallbackFile: String) -> Tree {
    guard let cause = primaryCause(of: finding), let origin = cause.origin else {
        return ["physicalLocation": physicalLocation(file: fallbackFile, line: 1)]
    }
    return placed(cause, at: origin)
}

/// The further causes that stand in a file, as many as a reader can take in.
func relatedLocations(of finding: ChangeFinding) -> [Tree] {
    let primary = primaryCause(of: finding)
    var trees: [Tree] = []
    for cause in finding.causes where trees.count < 20 && cause != primary {
        guard let origin = cause.origin else { continue }
        var tree = placed(cause, at: origin)
        tree.set(["id"], to: .integer(Int64(trees.count + 1)))
        tree.set(["message"], to: ["text": .string("\(printable(cause.object.description)), \(cause.editText)")])
        trees.append(tree)
    }
    return trees
}

private func placed(_ cause: FindingCause, at origin: Origin) -> Tree {
    [
        "physicalLocation": physicalLocation(file: origin.file, line: cause.edit == .removed ? 1 : origin.line),
        "logicalLocations": [
            ["fullyQualifiedName": .string(printable(cause.object.description)), "kind": "resource"]
        ],
    ]
}

private func physicalLocation(file: String, line: Int) -> Tree {
    let path = percentEncoded(file, keeping: pathCharacters)
    var artifact: Tree = ["uri": .string(path), "uriBaseId": "%SRCROOT%"]
    // A whole path, as `-f /etc/policy.yaml` gives: below no root.
    if file.hasPrefix("/") { artifact = ["uri": .string("file://" + path)] }
    return ["artifactLocation": artifact, "region": ["startLine": .integer(Int64(max(1, line)))]]
}

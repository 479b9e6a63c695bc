import Manifest

/// A patch that cannot be applied; the server answers 422 without details (rule D15).
struct PatchFailure: Error {
    var message: String
}

/// JSON patch (RFC 6902): add, remove, replace and test.
func jsonPatched(_ target: Tree, _ patch: Tree) throws(PatchFailure) -> Tree {
    var result = target
    guard let operations = patch.array else { throw PatchFailure(message: "the patch is no list") }
    for operation in operations {
        guard let kind = operation["op"]?.string, let pointer = operation["path"]?.string, pointer.hasPrefix("/") else {
            throw PatchFailure(message: "an operation has no op or path")
        }
        let steps = pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
            String($0.replacing("~1", with: "/").replacing("~0", with: "~"))
        }
        result = try change(result, steps[...], kind, operation["value"])
    }
    return result
}

private func change(
    _ tree: Tree, _ steps: ArraySlice<String>, _ kind: String, _ value: Tree?
) throws(PatchFailure) -> Tree {
    guard let step = steps.first else { throw PatchFailure(message: "the path is empty") }
    let isLast = steps.count == 1
    switch tree {
    case .object(var members):
        if !isLast {
            guard let child = members[step] else { throw PatchFailure(message: "no such member: \(step)") }
            members[step] = try change(child, steps.dropFirst(), kind, value)
            return .object(members)
        }
        switch kind {
        case "add": members[step] = value ?? .null
        case "replace", "remove", "test":
            guard let present = members[step] else { throw PatchFailure(message: "no such member: \(step)") }
            if kind == "test", present != value { throw PatchFailure(message: "testing \(step) failed") }
            if kind != "test" { members[step] = kind == "replace" ? value ?? .null : nil }
        default: throw PatchFailure(message: "unknown operation \(kind)")
        }
        return .object(members)
    case .array(var elements):
        if kind == "add", isLast, step == "-" {
            elements.append(value ?? .null)
            return .array(elements)
        }
        guard let index = Int(step), index >= 0,
            index < elements.count || (kind == "add" && isLast && index == elements.count)
        else { throw PatchFailure(message: "no such element: \(step)") }
        if !isLast {
            elements[index] = try change(elements[index], steps.dropFirst(), kind, value)
        } else {
            switch kind {
            case "add": elements.insert(value ?? .null, at: index)
            case "replace": elements[index] = value ?? .null
            case "remove": elements.remove(at: index)
            case "test": if elements[index] != value { throw PatchFailure(message: "testing \(step) failed") }
            default: throw PatchFailure(message: "unknown operation \(kind)")
            }
        }
        return .array(elements)
    default: throw PatchFailure(message: "no such member: \(step)")
    }
}

/// What a plan does to an object.
package enum ActionKind: String, Sendable, CaseIterable {
    case create
    case update
    /// Delete and create again, recorded as one: what cannot be changed in place (rule F1).
    case replace
    case delete
    /// Update an object that somebody else made, and mark it as ours.
    case adopt
}

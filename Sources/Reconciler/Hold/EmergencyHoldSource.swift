/// Where emergency holds are put and seen.
///
/// Whoever may write there may pin the enforced revision: the adapter's place has an access control and an audit log of
/// its own.
package protocol EmergencyHoldSource: Sendable {
    /// What a reader can find it by, such as `ConfigMap bylaw-system/bylaw-hold-default`.
    nonisolated var name: String { get }

    /// What is kept there now; never throws, since every failure means something to whoever decides.
    func read() async -> EmergencyHoldReading
}

import Manifest
import Planning
import Policy

/// The admission policies that make the API server refuse what is not declared, and those who get past them for a time.
extension Controller {
    // MARK: The policies

    /// Puts the policies that the enforced revision asks for in force, and back where somebody changed them.
    ///
    /// Nothing depends on it but whether a break-glass annotation counts: where it fails everything else goes on, and it
    /// is tried again with the next look at the repository.
    func keepPrevention() async {
        guard let enforced, user != .notAsked else { return }
        guard case .known(let identity) = user else {
            guard enforced.configuration.prevention != nil else { return }
            await withJournal("record that nothing is prevented") { () async throws(JournalError) in
                try await self.raise(
                    .preventionFailed, object: nil,
                    message: "the API server does not tell who Bylaw is, so it could not let it through: "
                        + "what is not declared is not refused, only put right")
            }
            return
        }
        let objects = enforced.wantedPolicies(for: identity, ownership: ownership)
        await withJournal("keep the admission policies") { () async throws(JournalError) in
            try await self.keepPrevention(objects)
        }
    }

    private func keepPrevention(_ objects: [Tree]) async throws(JournalError) {
        let remembered = try await journal.remembered(.keptPrevention)
        // There may be none to remove.
        let isUnknown = remembered == nil || remembered == KeptPrevention.unknown
        let digest = objects.isEmpty ? KeptPrevention.none : canonical.digest(.array(objects))
        // Nothing is wanted, and nothing of ours is left, or could be looked for.
        guard !objects.isEmpty || remembered != KeptPrevention.none && !(isUnknown && isOldPreventionAsked) else {
            return try await endPrevention()
        }
        // Somebody else's doing is what is different although it was as wanted.
        let wasKept = remembered == digest
        for (id, wanted) in policies(wanted: objects) {
            guard let error = try await keepPolicy(id, as: wanted, isOthersDoing: wasKept) else { continue }
            return try await noteFailedPrevention(
                error, isWanted: !objects.isEmpty, wasKept: wasKept, isNew: isUnknown)
        }
        isPreventionInForce = !objects.isEmpty
        preventionFailure = nil
        if !wasKept { try await journal.remember(.keptPrevention, digest) }
        try await resolve([.preventionFailed], object: nil)
    }

    private func endPrevention() async throws(JournalError) {
        isPreventionInForce = false
        preventionFailure = nil
        try await leavePolicyIntents()
        try await resolve([.preventionFailed], object: nil)
    }

    /// What is to be looked at, in the order in which it is to be written.
    ///
    /// What an earlier revision may have had put in force comes last, the bindings first, so that nothing is judged by half.
    private func policies(wanted objects: [Tree]) -> [(ObjectID, Tree?)] {
        let wanted = objects.map { ($0.policyID, $0) }
        let names = PreventionPolicyNames(of: configuration.instance)
        let unwanted = [names.undeclared, names.managed].filter { name in !wanted.contains { $0.0.name == name } }
        return wanted.map { ($0, $1) }
            + unwanted.flatMap { name in
                [Resource.admissionPolicyBinding, .admissionPolicy].map { (ObjectID($0, name: name), nil) }
            }
    }

    /// - Parameters:
    ///   - wasKept: What is wanted was in force when it was last looked at.
    ///   - isNew: Nothing was ever put in force, as far as the journal knows.
    private func noteFailedPrevention(
        _ error: ClusterError, isWanted: Bool, wasKept: Bool, isNew: Bool
    ) async throws(JournalError) {
        switch error.kind {
        case .unreachable, .busy, .cancelled, .unauthenticated, .conflict, .notLeading:
            // Nothing is known about the policies by that: they go on without us.
            isPreventionInForce = wasKept && isWanted
            notify(.trouble(error.message, hint: error.hint))
            return
        case .forbidden where !isWanted && isNew, .resourceNotServed where !isWanted && isNew:
            // Whoever never asked for it need not be told that there is nothing to remove, nor is it asked for again.
            isOldPreventionAsked = true
            return try await endPrevention()
        default: break
        }
        isPreventionInForce = false
        let message =
            switch error.kind {
            case .resourceNotServed:
                "the API server does not serve ValidatingAdmissionPolicy (Kubernetes 1.30 or later does): "
                    + "what is not declared is not refused, only put right"
            case .forbidden:
                "\(error.message); Deploy/components/prevention/rbac.yaml gives the right"
                    + (isWanted ? "; until then nothing is refused, only put right" : "")
            default: "the admission policies are not in force: \(error.message)"
            }
        // A text that only counts differently is no news.
        let words = message.filter { !$0.isNumber }
        guard words != preventionFailure || openIncidents[nil]?.contains(.preventionFailed) != true else { return }
        preventionFailure = words
        try await raise(.preventionFailed, object: nil, message: message)
    }

    // MARK: Break glass

    /// Which objects may be kept from us now; nil where anybody could say so, as nothing refuses it.
    func breakGlass(_ enforced: EnforcedState) -> BreakGlass? {
        isPreventionInForce ? enforced.configuration.breakGlass(at: surroundings.now()) : nil
    }

    /// Notes that an object is left as somebody wrote it, and looks at it again when its time is over.
    func noteBrokenGlass(_ object: LiveObject, until end: Timestamp) async throws(JournalError) {
        let id = object.id
        held.insert(id)
        if mode == .continuous {
            let rest = end.microsecondsSinceEpoch - surroundings.now().microsecondsSinceEpoch
            queue.addDelayed(id, due: surroundings.uptime() + .microseconds(max(rest, 0) + 1000), isUrgent: true)
        }
        let writer = attribute([], of: object, ourFieldManager: configuration.fieldManager)
        try await raise(
            .breakGlassUsed, object: id, outcome: .held, live: object,
            message: "\(id) is not as declared, and is left as it is until \(end): somebody broke the glass"
                + (writer.map { "; \($0.manager) wrote it last" } ?? ""))
    }
}

package import Manifest

/// What looking for a hold gave.
package enum EmergencyHoldReading: Sendable, Equatable {
    /// The server says that there is none.
    case none
    case record(EmergencyHoldRecord)
    /// Something is there that is no hold.
    case flawed(String)
    /// We may not look.
    case forbidden(ClusterError)
    /// Nobody can say now whether there is one.
    case failed(ClusterError)
}

/// The last hold that was honoured, or that was over when it was first seen.
package struct EmergencyHoldMemory: Sendable, Equatable {
    package var hold: EmergencyHold
    /// A hold that ended stays ended, whatever a clock or a restored ConfigMap says.
    package var isOver: Bool

    package init(hold: EmergencyHold, isOver: Bool) {
        self.hold = hold
        self.isOver = isOver
    }
}

/// Which revision is to be enforced, by what was read of a hold, what was known of one, and the clock.
///
/// A failed read is never "no hold". What was known to be in force stays so until its own end. Where none was known it
/// depends on why:
/// - We may not look (403): the branch is followed, and it is told. That is what a cluster without
///   `Deploy/components/emergency-hold/rbac.yaml` answers, and whoever can take the right away can delete the hold as well: to stand still would
///   protect nothing, and keep every later fix away.
/// - Anything else: nothing new is taken on until it can be read, for ``patience`` at most. An API server that stays
///   unable to read one ConfigMap must not keep fixes away for ever either.
///
/// What a journal knew before another replica led is no proof that a hold is in force still: it may have ended there.
package struct EmergencyHoldDecision: Sendable, Equatable {
    package enum Order: Sendable, Equatable {
        /// The newest revision, as ever.
        case follow
        case hold(EmergencyHold)
        /// What is in force, until it is known whether there is a hold.
        case wait(ClusterError)
    }

    package enum Ending: Sendable, Equatable {
        case timeIsOver
        case ended(EmergencyHoldEnd)
        case removed
        /// Another replica may have ended it, and it cannot be read whether it is there.
        case unproven
    }

    /// What the record is told once.
    package enum Telling: Sendable, Equatable {
        case began(EmergencyHold)
        case changed(from: EmergencyHold, to: EmergencyHold)
        case ended(EmergencyHold, Ending)
        /// It was over before anybody looked.
        case missed(EmergencyHold)
    }

    package var order = Order.follow
    /// What is known from now on.
    package var memory: EmergencyHoldMemory?
    package var tellings: [Telling] = []
    /// Why what is kept in the place of holds is not honoured; a sentence without a full stop.
    package var ignored: String?
    /// Why holds cannot be read.
    package var unread: ClusterError?

    private var isOutdated: Bool

    /// How long nothing new is taken on while holds cannot be read.
    package static let patience = Duration.seconds(300)
    /// How far the clock of whoever sets a hold may be ahead of ours.
    private static let clockSkew = Duration.seconds(300)

    /// - Parameters:
    ///   - isOutdated: Whether another replica may have led since that was known.
    ///   - unreadFor: How long reading has failed in a row before this time.
    package init(
        _ reading: EmergencyHoldReading, known: EmergencyHoldMemory?, isOutdated: Bool = false, instance: String,
        cluster: String, unreadFor: Duration = .zero, at now: Timestamp
    ) {
        memory = known
        self.isOutdated = isOutdated
        switch reading {
        case .none:
            end(.removed, at: now)
        case .flawed(let message):
            ignored = message
            goOn(at: now)
        case .forbidden(let error):
            unread = error
            goOn(at: now)
        case .failed(let error):
            unread = error
            if unreadFor < Self.patience, isOutdated || active.map({ $0.until <= now }) ?? true {
                // It may have been set, or extended, since.
                order = .wait(error)
            } else {
                goOn(at: now)
            }
        case .record(let record):
            if let misfit = Self.misfit(of: record.hold, instance: instance, cluster: cluster, at: now) {
                ignored = misfit
                goOn(at: now)
            } else {
                take(record, at: now)
            }
        }
    }

    private var active: EmergencyHold? { memory.flatMap { $0.isOver ? nil : $0.hold } }

    private mutating func take(_ record: EmergencyHoldRecord, at now: Timestamp) {
        let hold = record.hold
        guard memory != EmergencyHoldMemory(hold: hold, isOver: true) else { return }
        if let early = record.end {
            if active == nil { memory = EmergencyHoldMemory(hold: hold, isOver: true) }
            return end(.ended(early), at: now)
        }
        switch active {
        case hold: break
        case let before?: tellings.append(.changed(from: before, to: hold))
        case nil where hold.until <= now:
            tellings.append(.missed(hold))
            memory = EmergencyHoldMemory(hold: hold, isOver: true)
            return
        case nil: tellings.append(.began(hold))
        }
        memory = EmergencyHoldMemory(hold: hold, isOver: false)
        isOutdated = false
        goOn(at: now)
    }

    /// What is known to be in force stays so until its own end.
    private mutating func goOn(at now: Timestamp) {
        guard let active else { return }
        guard active.until > now else { return end(.timeIsOver, at: now) }
        guard !isOutdated else {
            tellings.append(.ended(active, .unproven))
            // Not as one that is over: it counts again where it is there.
            memory = nil
            return
        }
        order = .hold(active)
    }

    private mutating func end(_ ending: Ending, at now: Timestamp) {
        guard let active else { return }
        tellings.append(.ended(active, active.until <= now ? .timeIsOver : ending))
        memory = EmergencyHoldMemory(hold: active, isOver: true)
    }

    /// Why a hold is not for us, or cannot be true; nil where it is and can.
    private static func misfit(
        of hold: EmergencyHold, instance: String, cluster: String, at now: Timestamp
    ) -> String? {
        if hold.instance != instance { return "it is for the instance \(hold.instance), and this one is \(instance)" }
        if let meant = hold.cluster, meant != cluster {
            return "it is for the cluster \(meant), and this one is \(cluster)"
        }
        if hold.setAt > now.advanced(by: clockSkew) {
            // Without the time of now, which would be news with each look.
            return "it says that it was set at \(hold.setAt), which is yet to come"
        }
        return nil
    }
}

extension EmergencyHoldMemory {
    package var tree: Tree {
        let data = EmergencyHoldRecord(hold: hold).data.map { ($0.key, Tree.string($0.value)) }
        return ["hold": .object(Members(data)), "isOver": .bool(isOver)]
    }

    /// Reads what ``tree`` gives; nil where it is not that.
    package init?(_ tree: Tree) {
        var data: [String: String] = [:]
        for (key, value) in tree["hold"]?.members ?? Members() { data[key] = value.string }
        guard let isOver = tree["isOver"]?.bool,
            case .success(let record?) = Result(catching: { () throws(EmergencyHoldFlaw) in
                try EmergencyHoldRecord(data: data)
            })
        else { return nil }
        self.init(hold: record.hold, isOver: isOver)
    }
}

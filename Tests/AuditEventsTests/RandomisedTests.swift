import AuditEvents
import Manifest
import TestSupport
import Testing

/// Writers who get in each other's way, servers whose clocks differ, and batches that come late, twice, mixed up or never.
private struct World {
    struct Live {
        var uid: String
        var version: Int
        var writer: String
        var isTerminating = false
    }

    var random: SplitMix64
    var revision = 1000
    var now = 0.0
    var live: [String: Live] = [:]
    /// Who removed the object with a uid.
    var removers: [String: String] = [:]
    var sent: [Sample] = []

    mutating func choose(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
    mutating func happens(_ percent: Int) -> Bool { choose(100) < percent }

    /// One request by anybody, which may write, change nothing, fail, or only be tried.
    mutating func request() {
        now += Double(choose(1500)) / 1000
        let user = ["alice", "bob", "carol", "dave", "bylaw"][choose(5)]
        let name = "role\(choose(3))"
        // Three servers, with clocks up to two seconds apart.
        var sample = Sample(
            auditID: "\(happens(10) ? 7 : revision * 100 + choose(100))",
            level: happens(70) ? "RequestResponse" : "Metadata",
            user: user, name: name, at: now + Double(choose(3)) - 1)
        if happens(15) {
            sample.user = "mallory"
            sample.impersonated = user == "bylaw" ? "alice" : user
        }
        let actor = sample.impersonated ?? user
        guard let object = live[name] else {
            revision += 1 + choose(3)
            live[name] = Live(uid: "u\(revision)", version: revision, writer: actor)
            sample.verb = happens(70) ? "create" : "patch"
            sample.code = 201
            return send(sample, name)
        }
        switch choose(12) {
        case 0: delete(object, &sample, actor)
        case 1: tryDeletion(object, &sample)
        case 2:
            sample.query = "?dryRun=All"
            send(sample, name)
        case 3:
            sample.code = 409
            sample.response = ["kind": "Status", "status": "Failure"]
            send(sample, name)
        case 4: markTerminating(object, &sample, actor)
        default: write(object, &sample, actor)
        }
    }

    private mutating func write(_ object: Live, _ sample: inout Sample, _ actor: String) {
        let isConditional = happens(40)
        if happens(50) {
            sample.verb = "update"
            if isConditional { sample.condition = "\(object.version)" }
        } else if isConditional {
            sample.request = ["metadata": ["resourceVersion": .string("\(object.version)")]]
        }
        // Half of them ask for what is already there.
        if happens(50) {
            revision += 1 + choose(3)
            live[sample.name]?.version = revision
            live[sample.name]?.writer = actor
        }
        send(sample, sample.name)
    }

    private mutating func delete(_ object: Live, _ sample: inout Sample, _ actor: String) {
        sample.verb = "delete"
        // The parameters count for nothing where there is a body.
        if happens(30) { sample.query = "?dryRun=All" }
        sample.request = ["kind": "DeleteOptions"]
        if object.isTerminating {
            // A finalizer holds it; nothing changes until that goes, which is another's request.
            if happens(50) {
                live[sample.name] = nil
                removers[object.uid] = "the remover of the finalizer"
                return
            }
            return send(sample, sample.name)
        }
        sample.uid = object.uid
        sample.response = happens(50) ? gone(object) : answer(object, sample)
        live[sample.name] = nil
        removers[object.uid] = actor
        revision += 1
        sent.append(sample)
    }

    private mutating func tryDeletion(_ object: Live, _ sample: inout Sample) {
        sample.verb = "delete"
        sample.request = ["dryRun": ["All"]]
        sample.response = gone(object)
        sent.append(sample)
    }

    private mutating func markTerminating(_ object: Live, _ sample: inout Sample, _ actor: String) {
        sample.verb = "delete"
        if !object.isTerminating {
            revision += 1
            live[sample.name]?.isTerminating = true
            live[sample.name]?.version = revision
            live[sample.name]?.writer = actor
        }
        send(sample, sample.name)
    }

    private func gone(_ object: Live) -> Tree {
        ["kind": "Status", "status": "Success", "details": ["uid": .string(object.uid)]]
    }

    private func answer(_ object: Live, _ sample: Sample) -> Tree {
        [
            "kind": "Role",
            "metadata": [
                "name": .string(sample.name), "uid": .string(object.uid),
                "resourceVersion": .string("\(object.version)"),
            ],
        ]
    }

    /// Sends it, answered with the object as it is now.
    private mutating func send(_ sample: Sample, _ name: String) {
        var sample = sample
        if let object = live[name], sample.response == nil {
            sample.uid = object.uid
            sample.version = "\(object.version)"
            sample.isTerminating = object.isTerminating
        }
        sent.append(sample)
    }
}

@Suite struct RandomisedTests {
    struct Seen {
        var uid: String
        var version: Int
    }

    @Test(arguments: 1...60) func neverProvesTheWrongUser(_ seed: Int) {
        var world = World(random: SplitMix64(seed: UInt64(seed)))
        var memory = AuditMemory()
        var pending = PendingAttributions<Int>()
        var truths: [String] = []
        var changes: [ObservedChange] = []
        var said: [Int: Attribution.Certainty] = [:]
        var seen: [String: Seen] = [:]
        var held: [[Sample]] = []
        var proofs = 0

        func check(_ key: Int, _ attribution: Attribution) {
            #expect(attribution.certainty >= said[key] ?? .claimed)
            said[key] = attribution.certainty
            guard attribution.certainty == .proven else { return }
            proofs += 1
            #expect(attribution.name == truths[key], "\(changes[key])")
        }

        func deliver(_ batch: [Sample]) {
            let new = memory.add(read(batch.shuffled(using: &world.random)).events, at: moment(world.now))
            for (key, attribution) in pending.take(new, from: memory) { check(key, attribution) }
        }

        func observe(_ change: ObservedChange, by truth: String) {
            let key = changes.count
            changes.append(change)
            truths.append(truth)
            let known = memory.attribute(change)
            if let known { check(key, known) }
            pending.add(change, key: key, known: known)
        }

        func look() {
            for name in ["role0", "role1", "role2"] {
                let id = ObjectID(.role, namespace: "team-a", name: name)
                let before = seen[name]
                let object = world.live[name]
                if let before, object?.uid != before.uid {
                    observe(
                        ObservedChange(
                            object: id, uid: before.uid, kind: .deleted, versionBefore: "\(before.version)",
                            versionAfter: nil, observedAt: moment(world.now)),
                        by: world.removers[before.uid] ?? "nobody")
                }
                if let object, object.version != before?.version || object.uid != before?.uid {
                    let isNew = object.uid != before?.uid
                    observe(
                        ObservedChange(
                            object: id, uid: object.uid, kind: isNew ? .created : .changed,
                            versionBefore: isNew ? nil : before.map { "\($0.version)" },
                            versionAfter: "\(object.version)", observedAt: moment(world.now)), by: object.writer)
                }
                seen[name] = object.map { Seen(uid: $0.uid, version: $0.version) }
            }
        }

        for _ in 0..<150 {
            world.request()
            if world.happens(40) { look() }
            guard world.happens(25) else { continue }
            // A quarter of the batches is lost; of the others some come twice, some much later.
            if !world.happens(25) {
                held.append(world.sent)
                if world.happens(20) { held.append(world.sent) }
            }
            world.sent = []
            held.shuffle(using: &world.random)
            while !held.isEmpty, world.happens(60) { deliver(held.removeLast()) }
        }
        look()
        for batch in held { deliver(batch) }
        #expect(proofs > 0)
    }
}

import AuditEvents
import Manifest
import Testing

@Suite struct MemoryTests {
    private func events(_ samples: [Sample]) -> [AuditEvent] { read(samples).events }

    @Test func aBatchThatComesTwiceIsTakenOnce() {
        var memory = AuditMemory()
        let batch = events([Sample(version: "105"), Sample(auditID: "2", user: "bob")])
        #expect(memory.add(batch, at: moment(30)).count == 2)
        #expect(memory.add(batch.reversed(), at: moment(40)).isEmpty)
        #expect(memory.count == 2)
    }

    @Test func aClientCannotHideBehindAnAuditIDThatItChose() {
        var memory = AuditMemory()
        let harmless = Sample(level: "Metadata", name: "harmless")
        memory.add(events([harmless, Sample(level: "Metadata", at: 0.5)]), at: moment(30))
        #expect(memory.count == 2)
        #expect(memory.attribute(change())?.name == "alice")
    }

    @Test func theFullerOfTwoDeliveriesIsKept() {
        var memory = AuditMemory()
        var cut = Sample(verb: "update", condition: "100")
        memory.add(events([cut]), at: moment(30))
        #expect(memory.attribute(change())?.certainty == .likely)
        cut.version = "105"
        #expect(memory.add(events([cut]), at: moment(40)).count == 1)
        cut.version = nil
        #expect(memory.add(events([cut]), at: moment(50)).isEmpty)
        #expect(memory.attribute(change())?.certainty == .proven)
        #expect(memory.count == 1)
    }

    @Test func whatIsNotManagedIsNotKept() {
        var memory = AuditMemory()
        let secrets = Resource(group: "", kind: "Secret", plural: "secrets", isNamespaced: true)
        #expect(memory.add(events([Sample(resource: secrets)]), at: moment(30)).isEmpty)
    }

    @Test func isBoundedInNumberAndInAge() {
        var memory = AuditMemory(capacity: 10, capacityPerObject: 4, age: .seconds(100))
        for index in 0..<50 {
            memory.add(
                events([Sample(auditID: "\(index)", name: "r\(index % 2)", at: Double(index))]),
                at: moment(Double(index)))
            #expect(memory.count <= 8)
        }
        for index in 0..<50 {
            memory.add(
                events([Sample(auditID: "\(index)", name: "s\(index)", at: Double(index))]), at: moment(50))
            #expect(memory.count <= 10)
        }
        memory.expire(at: moment(145))
        #expect(memory.count == 5)
        #expect(memory.add(events([Sample(auditID: "old", at: 1)]), at: moment(145)).isEmpty)
        memory.expire(at: moment(1000))
        #expect(memory.count == 0)
    }

    @Test func aFloodOnOneObjectDrivesOutNothingElse() {
        var memory = AuditMemory(capacity: 1000, capacityPerObject: 20)
        memory.add(events([Sample(level: "Metadata", user: "mallory")]), at: moment(1))
        for index in 0..<3000 {
            memory.add(
                events([Sample(auditID: "\(index)", level: "Metadata", name: "own", at: Double(index) / 1000)]),
                at: moment(4))
        }
        #expect(memory.attribute(change())?.name == "mallory")
        #expect(memory.count == 21)
    }

    @Test func orderAndGapsOfVersionsDoNotTrap() {
        for version in ["", "0", "x", "00", "18446744073709551616", "105", "1.5", "٣"] {
            for verb in ["create", "update", "patch", "delete", "deletecollection"] {
                for kind in [ObservedChange.Kind.created, .changed, .deleted] {
                    let memory = memory([Sample(verb: verb, condition: version, version: version)])
                    let found = memory.attribute(change(kind, before: version, after: version))
                    #expect((found?.certainty ?? .likely) <= .proven)
                }
            }
        }
    }
}

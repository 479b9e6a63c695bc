import Reconciler
import Testing

/// Rule K10.
@Suite struct LeadershipStatusTests {
    struct Example: CustomTestStringConvertible {
        var testDescription: String
        var isLeader = true
        var age: Duration?
        var isStuck = false
    }

    @Test(arguments: [
        Example(testDescription: "it stands by", isLeader: false, age: nil),
        Example(testDescription: "it led once", isLeader: false, age: .seconds(3600)),
        Example(testDescription: "it renews", age: .seconds(2)),
        Example(testDescription: "a lease and the tolerance have passed", age: .seconds(35)),
        Example(testDescription: "more has passed", age: .milliseconds(35_001), isStuck: true),
    ]) func aLeaderThatRenewsNoMoreIsStuck(_ example: Example) {
        var status = LeadershipStatus(identity: "us", lease: .seconds(15))
        status.isLeader = example.isLeader
        status.lastRenewalAge = example.age
        #expect(status.isStuck(tolerance: .seconds(20)) == example.isStuck)
    }
}

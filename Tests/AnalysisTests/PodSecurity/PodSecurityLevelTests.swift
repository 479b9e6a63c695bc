import Analysis
import Testing

@Suite struct PodSecurityLevelTests {
    @Test func comparesLevelsByStrictness() {
        #expect(PodSecurityLevel.allCases.sorted() == [.privileged, .baseline, .restricted])
        #expect(PodSecurityLevel(rawValue: "Baseline") == nil)
    }

    @Test(arguments: ["latest", "v1.0", "v1.1", "v1.20", "v1.10000"])
    func writesVersionsAsItReadsThem(_ text: String) throws {
        #expect(try #require(PodSecurityVersion(text)).description == text)
    }

    @Test(arguments: [
        "", "foo", "Latest", "v2.0", "v1", "1.1", "v1.01", "v1.", "v1.-1", "v1.+1", "v1.1 ", "v1.1\n", "v1.٣",
        "v1.99999999999999999999",
    ])
    func refusesWhatKubernetesRefuses(_ text: String) {
        #expect(PodSecurityVersion(text) == nil)
    }

    @Test func comparesVersionsByNumberAndLatestAboveAll() {
        let versions = [9, 10, 36, Int.max].map { PodSecurityVersion(minor: $0) } + [.latest]
        for (left, right) in zip(versions, versions.dropFirst()) {
            #expect(left < right)
            #expect(!(right < left))
        }
        #expect(!(PodSecurityVersion.latest < .latest))
        #expect(PodSecurityVersion("v1.36") == PodSecurityVersion(minor: 36))
    }

    @Test(arguments: [
        ("nothing changed between", "restricted", 25, 26, true), ("SELinux changed", "baseline", 30, 31, false),
        ("only restricted changed", "baseline", 18, 18, true),
        ("privileged has no controls", "privileged", 0, 36, true),
        ("newer than we know", "restricted", 36, 99, true), ("user namespaces", "restricted", 34, 35, false),
    ])
    func knowsWhichVersionsMeanTheSame(_ name: String, _ level: String, _ from: Int, _ to: Int, _ same: Bool) throws {
        let level = try #require(PodSecurityLevel(rawValue: level))
        let before = PodSecuritySetting(level, PodSecurityVersion(minor: from))
        #expect(before.hasSameControls(as: PodSecuritySetting(level, PodSecurityVersion(minor: to))) == same)
    }
}

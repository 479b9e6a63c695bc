import Analysis
import Testing
import Manifest

@Suite struct NamespacePodSecurityTests {
    /// Labels without their prefix, and what enforce, audit and warn are then, as in `baseline:latest`.
    struct Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var labels: [String: String]
        var settings: [String]
    }

    private static let privileged = "privileged:latest"

    @Test(arguments: [
        Example(testDescription: "no labels", labels: [:], settings: [privileged, privileged, privileged]),
        Example(
            testDescription: "warn follows enforce", labels: ["enforce": "baseline"],
            settings: ["baseline:latest", privileged, "baseline:latest"]),
        Example(
            testDescription: "warn follows the version of enforce",
            labels: ["enforce": "baseline", "enforce-version": "v1.22"],
            settings: ["baseline:v1.22", privileged, "baseline:v1.22"]),
        Example(
            testDescription: "warn keeps its own version",
            labels: ["enforce": "baseline", "enforce-version": "v1.22", "warn-version": "v1.23"],
            settings: ["baseline:v1.22", privileged, "baseline:v1.23"]),
        Example(
            testDescription: "a written warn level stays", labels: ["enforce": "baseline", "warn": "privileged"],
            settings: ["baseline:latest", privileged, privileged]),
        Example(
            testDescription: "warn alone", labels: ["warn": "restricted"],
            settings: [privileged, privileged, "restricted:latest"]),
        Example(
            testDescription: "audit alone", labels: ["audit": "baseline", "audit-version": "v1.30"],
            settings: [privileged, "baseline:v1.30", privileged]),
        Example(
            testDescription: "a version without a level", labels: ["enforce-version": "v1.20"],
            settings: ["privileged:v1.20", privileged, privileged]),
        Example(
            testDescription: "an invalid enforce level fails closed, and warn does not follow it",
            labels: ["enforce": "Baseline"], settings: ["restricted:latest", privileged, privileged]),
        Example(
            testDescription: "invalid audit and warn levels fail open",
            labels: ["enforce": "baseline", "audit": "strict", "warn": ""],
            settings: ["baseline:latest", privileged, privileged]),
        Example(
            testDescription: "an invalid version is latest",
            labels: ["enforce": "restricted", "enforce-version": "1.25"],
            settings: ["restricted:latest", privileged, "restricted:latest"]),
    ])
    func readsLabelsAsAdmissionDoes(_ example: Example) {
        let labels = example.labels.map { ("pod-security.kubernetes.io/\($0)", $1) } + [("other", "baseline")]
        let read = NamespacePodSecurity(labels: Labels(Dictionary(uniqueKeysWithValues: labels)))
        #expect([read.enforce, read.audit, read.warn].map(\.description) == example.settings)
    }

    @Test func takesMissingLabelsFromTheServersConfiguration() {
        let defaults = NamespacePodSecurity(
            enforce: PodSecuritySetting(.baseline), audit: PodSecuritySetting(.restricted),
            warn: PodSecuritySetting(.restricted))
        let labels = Labels(["pod-security.kubernetes.io/enforce": "privileged"])
        let read = NamespacePodSecurity(labels: labels, defaults: defaults)
        #expect(read.enforce == .privileged)
        #expect(read.audit.level == .restricted)
        #expect(read.warn.level == .restricted)
    }

    /// How enforce changes: loosens, tightens or neither, and whether the controls differ on a cluster of v1.36.
    struct Change: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var before: PodSecuritySetting
        var after: PodSecuritySetting
        var direction: ChangeDirection?
        var changesControls = true
        var stopsFollowing = false
    }

    private static func at(_ level: PodSecurityLevel, _ minor: Int) -> PodSecuritySetting {
        PodSecuritySetting(level, PodSecurityVersion(minor: minor))
    }

    @Test(arguments: [
        Change(
            testDescription: "level drops", before: .init(.restricted), after: .init(.baseline), direction: .loosens),
        Change(testDescription: "level rises", before: .privileged, after: .init(.baseline), direction: .tightens),
        Change(
            testDescription: "a lower level loosens at a newer version too", before: at(.restricted, 20),
            after: .init(.baseline), direction: .loosens),
        Change(
            testDescription: "version back", before: at(.baseline, 34), after: at(.baseline, 33), direction: .loosens),
        Change(
            testDescription: "version forward", before: at(.baseline, 33), after: at(.baseline, 34),
            direction: .tightens),
        Change(
            testDescription: "version back without effect", before: at(.restricted, 26), after: at(.restricted, 25),
            direction: .loosens, changesControls: false),
        Change(
            testDescription: "pinned to the cluster's version", before: .init(.restricted), after: at(.restricted, 36),
            direction: .loosens, changesControls: false, stopsFollowing: true),
        Change(
            testDescription: "pinned to an old version", before: .init(.restricted), after: at(.restricted, 18),
            direction: .loosens, stopsFollowing: true),
        Change(
            testDescription: "follows latest again", before: at(.restricted, 18), after: .init(.restricted),
            direction: .tightens),
        Change(
            testDescription: "versions of privileged mean nothing", before: .privileged, after: at(.privileged, 3),
            direction: nil),
        Change(testDescription: "unchanged", before: at(.baseline, 3), after: at(.baseline, 3), direction: nil),
    ])
    func saysWhetherAModeLoosens(_ change: Change) {
        let changes = comparePodSecurity(
            from: NamespacePodSecurity(enforce: change.before), to: NamespacePodSecurity(enforce: change.after),
            clusterVersion: PodSecurityVersion(minor: 36))
        #expect(changes.map(\.direction) == (change.direction.map { [$0] } ?? []))
        for found in changes {
            #expect(found.mode == .enforce)
            #expect(found.changesControls == change.changesControls)
            #expect(found.stopsFollowingLatest == change.stopsFollowing)
        }
    }

    @Test func comparesEachModeOfItsOwn() {
        let before = NamespacePodSecurity(
            enforce: PodSecuritySetting(.baseline), warn: PodSecuritySetting(.restricted))
        let after = NamespacePodSecurity(
            enforce: PodSecuritySetting(.restricted), audit: PodSecuritySetting(.baseline))
        let changes = comparePodSecurity(from: before, to: after)
        #expect(changes.map(\.mode) == [.enforce, .audit, .warn])
        #expect(changes.map(\.direction) == [.tightens, .tightens, .loosens])
    }
}

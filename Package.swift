// swift-tools-version: 6.3
import PackageDescription

/// One module of ours: what it may import is exactly what stands here, and the build checks it.
struct Module {
    var name: String
    var imports: [String] = []
    /// False where the contract suite tests it, through the real client.
    var hasTests = true
    /// What only its tests import beside it.
    var testImports: [String] = []
    /// Folders beside its tests that hold data.
    var testData: [String] = []
}

/// The C libraries.
///
/// A module map and inline shims each. Exactly one target imports each of them.
let libraries: [Target] = [
    .systemLibrary(name: "CGit2", pkgConfig: "libgit2", providers: [.apt(["libgit2-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSpawn"),
]

/// The module graph, from the inside out.
///
/// Arrows point inward; adapters never import each other.
let modules: [Module] = [
    // Pure: no C, no `async`, no clock, no environment, no files.
    Module(name: "Manifest"),
    Module(name: "JSON", imports: ["Manifest"]),
    Module(name: "Policy", imports: ["Manifest"], testImports: ["JSON"]),
    Module(name: "Analysis", imports: ["Manifest", "Policy"], testImports: ["JSON", "YAML", "PolicyFiles"]),
    Module(name: "Planning", imports: ["Manifest", "Policy"], testImports: ["JSON", "ChildProcess", "YAML"]),
    Module(
        name: "Reports", imports: ["Manifest", "Policy", "JSON", "Analysis"], testImports: ["ChildProcess"],
        testData: ["Fixtures", "Golden"]),
    Module(
        name: "Guardrails", imports: ["Manifest", "Policy", "Analysis", "Planning"], testImports: ["PolicyFiles"]),
    Module(name: "KubeProtocol", imports: ["Manifest", "JSON"]),
    Module(name: "AuditEvents", imports: ["Manifest", "JSON"]),
    Module(name: "Tracing", imports: ["Manifest"]),
    Module(name: "Shipping", imports: ["Manifest", "JSON", "Tracing"]),
    Module(name: "Arguments"),
    Module(name: "RunbookLibrary", imports: ["Arguments"], testImports: ["Policy", "Reconciler"]),
    // Wrappers: one C library or one system facility each.
    Module(name: "ChildProcess", imports: ["CSpawn"]),
    Module(name: "Signatures", imports: ["CCrypto", "ChildProcess"]),
    Module(name: "TransparencyLog", imports: ["Signatures"], testImports: ["JSON", "Manifest"]),
    Module(name: "SQLite", imports: ["CSQLite"]),
    Module(name: "YAML", imports: ["CYAML", "Manifest"], testImports: ["JSON"]),
    Module(name: "HTTPClient", imports: ["CCurl"], testImports: ["ChildProcess"]),
    Module(name: "HTTPServer", imports: ["CMicroHTTPD"], testImports: ["HTTPClient", "ChildProcess"]),
    Module(name: "Git", imports: ["CGit2", "HTTPClient", "ChildProcess"], testImports: ["Signatures"]),
    Module(name: "Telemetry"),
    // Use cases, and the ports they need.
    Module(
        name: "Reconciler",
        imports: ["Manifest", "Policy", "Analysis", "Guardrails", "Planning", "Telemetry", "Tracing"],
        testImports: ["JSON"]),
    // Adapters.
    Module(name: "PolicyFiles", imports: ["Manifest", "Policy", "YAML", "JSON"]),
    Module(
        name: "GitSource", imports: ["Reconciler", "Manifest", "Policy", "Git", "PolicyFiles", "Signatures"],
        testImports: ["HTTPClient", "ChildProcess"]),
    Module(
        name: "KubeClient",
        imports: [
            "Reconciler", "Manifest", "Analysis", "Planning", "JSON", "YAML", "KubeProtocol", "HTTPClient",
            "ChildProcess",
        ]),
    Module(
        name: "Journal", imports: ["Reconciler", "Manifest", "JSON", "SQLite", "Signatures", "TransparencyLog"],
        testImports: ["ChildProcess"], testData: ["Fixtures"]),
    Module(
        name: "StatusServer", imports: ["Reconciler", "Manifest", "Telemetry", "HTTPServer", "Tracing"],
        testImports: ["HTTPClient"]),
    Module(
        name: "EmbeddedCluster", imports: ["Manifest", "JSON", "Policy", "Planning", "KubeProtocol", "HTTPServer"],
        hasTests: false),
    Module(
        name: "GitHost", imports: ["Manifest", "JSON", "HTTPClient", "Signatures"],
        testImports: ["ChildProcess", "YAML"]),
    Module(
        name: "Commands",
        imports: [
            "Manifest", "JSON", "Policy", "Analysis", "Guardrails", "Planning", "Arguments", "Telemetry", "Signatures",
            "Reconciler",
            "PolicyFiles", "YAML", "HTTPClient", "KubeProtocol", "ChildProcess", "GitSource", "Git", "KubeClient",
            "Journal", "EmbeddedCluster", "RunbookLibrary", "GitHost", "HTTPServer", "Reports", "TransparencyLog",
            "AuditEvents", "Shipping", "StatusServer", "Tracing",
        ]),
]

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "bylaw",
    products: [.executable(name: "bylaw", targets: ["bylaw"])],
    targets: libraries
        + modules.map { module in
            .target(
                name: module.name, dependencies: module.imports.map { .byName(name: $0) }, swiftSettings: settings)
        }
        + modules.filter(\.hasTests).map { module in
            .testTarget(
                name: module.name + "Tests",
                dependencies: ([module.name, "TestSupport"] + module.testImports
                    + module.imports.filter { name in !libraries.contains { $0.name == name } })
                    .map { .byName(name: $0) }, exclude: module.testData, swiftSettings: settings)
        }
        + [
            .executableTarget(name: "bylaw", dependencies: ["Commands"], swiftSettings: settings),
            .executableTarget(
                name: "journal-benchmark",
                dependencies: ["Journal", "JSON", "Manifest", "Reconciler", "SQLite", "Signatures", "TransparencyLog"],
                path: "Tests/JournalBenchmark", swiftSettings: settings),
            .testTarget(
                name: "EndToEndTests",
                dependencies: [
                    "bylaw", "Analysis", "TestSupport", "ChildProcess", "EmbeddedCluster", "Git", "GitSource",
                    "HTTPClient", "HTTPServer", "JSON", "Journal", "KubeClient", "Signatures", "KubeProtocol",
                    "Manifest", "Planning", "Reconciler", "RunbookLibrary", "SQLite", "YAML",
                ], exclude: ["Ceiling", "ceiling.yaml"], swiftSettings: settings),
            .testTarget(
                name: "ContractTests",
                dependencies: [
                    "Analysis", "EmbeddedCluster", "HTTPClient", "JSON", "KubeClient", "KubeProtocol", "Manifest",
                    "Reconciler", "YAML",
                ], swiftSettings: settings),
            .target(
                name: "TestSupport", dependencies: ["Manifest", "JSON", "ChildProcess"], path: "Tests/TestSupport",
                swiftSettings: settings),
        ],
    swiftLanguageModes: [.v6]
)

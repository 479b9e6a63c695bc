import Foundation
import Glibc
import Telemetry

/// What Prometheus' client libraries tell of every process, under the same names.
enum ProcessFamilies {
    static let cpu = MetricFamily(
        "process_cpu_seconds", .counter, "Total user and system CPU time spent in seconds")
    static let start = MetricFamily(
        "process_start_time_seconds", .gauge, "Start time of the process since unix epoch in seconds")
    static let resident = MetricFamily("process_resident_memory_bytes", .gauge, "Resident memory size in bytes")
    static let virtual = MetricFamily("process_virtual_memory_bytes", .gauge, "Virtual memory size in bytes")
    static let openDescriptors = MetricFamily("process_open_fds", .gauge, "Number of open file descriptors")
    static let maximumDescriptors = MetricFamily(
        "process_max_fds", .gauge, "Maximum number of open file descriptors")

    static let all = [cpu, start, resident, virtual, openDescriptors, maximumDescriptors]
}

extension MetricRegistry {
    /// Reads from `/proc` what the process takes now; what cannot be read stays as it was.
    func noteProcess() {
        if let text = contents(of: "/proc/self/stat"), let usage = ProcessUsage(stat: text) {
            set(ProcessFamilies.cpu, to: usage.cpuSeconds)
            set(ProcessFamilies.resident, to: usage.residentBytes)
            set(ProcessFamilies.virtual, to: usage.virtualBytes)
            if let boot = contents(of: "/proc/stat").flatMap(bootTime) {
                set(ProcessFamilies.start, to: boot + usage.startSeconds)
            }
        }
        if let count = descriptorCount() { set(ProcessFamilies.openDescriptors, to: Double(count)) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            set(
                ProcessFamilies.maximumDescriptors,
                to: limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur))
        }
    }
}

/// What `/proc/PID/stat` says (proc(5)).
struct ProcessUsage: Equatable {
    var cpuSeconds: Double
    /// Since the machine was started.
    var startSeconds: Double
    var residentBytes: Double
    var virtualBytes: Double

    /// Nil for what has not this form.
    init?(
        stat: String, ticks: Double = Double(sysconf(Int32(_SC_CLK_TCK))),
        pageBytes: Double = Double(sysconf(Int32(_SC_PAGESIZE)))
    ) {
        // The second field is the program's name, which may hold anything, spaces and brackets among it.
        guard let end = stat.lastIndex(of: ")"), ticks > 0 else { return nil }
        let fields = stat[stat.index(after: end)...].split(whereSeparator: \.isWhitespace)
        func field(_ number: Int) -> Double? { fields.indices.contains(number - 3) ? Double(fields[number - 3]) : nil }
        guard let user = field(14), let system = field(15), let start = field(22), let virtual = field(23),
            let pages = field(24)
        else { return nil }
        cpuSeconds = (user + system) / ticks
        startSeconds = start / ticks
        virtualBytes = virtual
        residentBytes = pages * pageBytes
    }
}

private func bootTime(_ stat: String) -> Double? {
    stat.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
}

private func contents(of path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    // Far more than these have, up to what is looked for.
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}

/// Without the one that counts them.
private func descriptorCount() -> Int? {
    guard let folder = opendir("/proc/self/fd") else { return nil }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    // `.`, `..` and the folder itself.
    return max(0, count - 3)
}

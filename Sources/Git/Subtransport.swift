internal import CGit2
import ChildProcess
import Foundation
import HTTPClient

/// Our own connections for libgit2's smart protocol, since its own have no time-outs and only TLS 1.2.
///
/// libgit2 calls back on the thread that fetches or pushes. `context` of each C struct holds a retained Swift object, released when
/// libgit2 frees the struct.
protocol GitStream: AnyObject {
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(GitError) -> Int
    func write(_ bytes: UnsafeRawBufferPointer) throws(GitError)
}

/// Makes the transport of a remote whose payload is a ``FetchSlot``.
func makeTransport(
    _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_transport>?>?, _ remote: OpaquePointer?,
    _ payload: UnsafeMutableRawPointer?
) -> Int32 {
    guard let payload, let context = Unmanaged<FetchSlot>.fromOpaque(payload).takeUnretainedValue().current else {
        return -1
    }
    var definition = git_smart_subtransport_definition()
    definition.callback = makeSubtransport
    // HTTP asks anew for each step, a program keeps one conversation.
    definition.rpc = context.url.isSpokenToOverHTTP ? 1 : 0
    definition.param = payload
    return git_transport_smart(out, remote, &definition)
}

/// The connection of one remote, from one fetch or push to the next.
private final class Connection {
    let slot: FetchSlot
    /// The one conversation with a program: libgit2 wants the very same stream for each step of it, and frees it once.
    var conversation: UnsafeMutablePointer<git_smart_subtransport_stream>?

    init(_ slot: FetchSlot) { self.slot = slot }
}

private func makeSubtransport(
    _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_smart_subtransport>?>?,
    _ owner: UnsafeMutablePointer<git_transport>?,
    _ payload: UnsafeMutableRawPointer?
) -> Int32 {
    guard let out, let payload else { return -1 }
    let slot = Unmanaged<FetchSlot>.fromOpaque(payload).takeUnretainedValue()
    let memory = UnsafeMutablePointer<shim_git_subtransport>.allocate(capacity: 1)
    memory.initialize(to: shim_git_subtransport())
    memory.pointee.context = Unmanaged.passRetained(Connection(slot)).toOpaque()
    memory.pointee.parent.action = openStream
    memory.pointee.parent.close = { subtransport in
        connection(of: subtransport)?.conversation = nil
        return 0
    }
    memory.pointee.parent.free = { subtransport in
        guard let subtransport else { return }
        UnsafeMutableRawPointer(subtransport).withMemoryRebound(to: shim_git_subtransport.self, capacity: 1) { memory in
            if let context = memory.pointee.context { Unmanaged<Connection>.fromOpaque(context).release() }
            memory.deinitialize(count: 1)
            memory.deallocate()
        }
    }
    out.pointee = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: git_smart_subtransport.self)
    return 0
}

private func connection(of subtransport: UnsafeMutablePointer<git_smart_subtransport>?) -> Connection? {
    guard let subtransport else { return nil }
    let context = UnsafeMutableRawPointer(subtransport).assumingMemoryBound(to: shim_git_subtransport.self).pointee
        .context
    return context.map { Unmanaged<Connection>.fromOpaque($0).takeUnretainedValue() }
}

private func openStream(
    _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_smart_subtransport_stream>?>?,
    _ subtransport: UnsafeMutablePointer<git_smart_subtransport>?, _ url: UnsafePointer<CChar>?,
    _ action: git_smart_service_t
) -> Int32 {
    guard let out, let subtransport, let connection = connection(of: subtransport),
        let fetch = connection.slot.current
    else { return -1 }
    let stream: any GitStream
    do throws(GitError) {
        if let conversation = connection.conversation {
            // Whatever libgit2 calls it: it says goodbye to a push by the name of a fetch.
            out.pointee = conversation
            return 0
        }
        let services: [git_smart_service_t] =
            switch fetch.purpose {
            case .fetch: [GIT_SERVICE_UPLOADPACK_LS, GIT_SERVICE_UPLOADPACK]
            case .push: [GIT_SERVICE_RECEIVEPACK_LS, GIT_SERVICE_RECEIVEPACK]
            }
        guard services.contains(action) else {
            throw GitError(kind: .other, operation: fetch.operation, detail: "libgit2 asks for another service")
        }
        if fetch.url.isSpokenToOverHTTP {
            stream = HTTPStream(fetch, isAdvertisement: action == services[0])
        } else {
            let conversation = try ProcessStream(fetch)
            fetch.conversation = conversation
            stream = conversation
        }
    } catch {
        return report(error, to: fetch)
    }
    let memory = UnsafeMutablePointer<shim_git_stream>.allocate(capacity: 1)
    memory.initialize(to: shim_git_stream())
    let open = OpenStream(stream, fetch, connection)
    memory.pointee.context = Unmanaged<AnyObject>.passRetained(open).toOpaque()
    memory.pointee.parent.subtransport = subtransport
    memory.pointee.parent.read = { stream, buffer, size, count in
        guard let open = openStream(of: stream), let buffer, let count else { return -1 }
        do throws(GitError) {
            count.pointee = try open.stream.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
            return 0
        } catch {
            return report(error, to: open.fetch)
        }
    }
    memory.pointee.parent.write = { stream, buffer, length in
        guard let open = openStream(of: stream), let buffer else { return -1 }
        do throws(GitError) {
            try open.stream.write(UnsafeRawBufferPointer(start: buffer, count: length))
            return 0
        } catch {
            return report(error, to: open.fetch)
        }
    }
    memory.pointee.parent.free = { stream in
        guard let stream else { return }
        openStream(of: stream)?.connection?.conversation = nil
        UnsafeMutableRawPointer(stream).withMemoryRebound(to: shim_git_stream.self, capacity: 1) { memory in
            if let context = memory.pointee.context { Unmanaged<AnyObject>.fromOpaque(context).release() }
            memory.deinitialize(count: 1)
            memory.deallocate()
        }
    }
    let pointer = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: git_smart_subtransport_stream.self)
    if !fetch.url.isSpokenToOverHTTP { connection.conversation = pointer }
    out.pointee = pointer
    return 0
}

private final class OpenStream {
    let stream: any GitStream
    let fetch: FetchContext
    weak var connection: Connection?

    init(_ stream: any GitStream, _ fetch: FetchContext, _ connection: Connection) {
        self.stream = stream
        self.fetch = fetch
        self.connection = connection
    }
}

private func openStream(of stream: UnsafeMutablePointer<git_smart_subtransport_stream>?) -> OpenStream? {
    guard let stream else { return nil }
    let context = UnsafeMutableRawPointer(stream).assumingMemoryBound(to: shim_git_stream.self).pointee.context
    return context.flatMap { Unmanaged<AnyObject>.fromOpaque($0).takeUnretainedValue() as? OpenStream }
}

/// Tells libgit2 that something failed, and keeps what.
private func report(_ error: GitError, to fetch: FetchContext) -> Int32 {
    fetch.note(error)
    git_error_set_str(Int32(GIT_ERROR_NET.rawValue), error.detail)
    return -1
}

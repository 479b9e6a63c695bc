import Foundation
import HTTPClient
import Synchronization
import Testing

/// Exchanges that block are run on threads of their own, as their users do.
@Suite struct BlockingExchangeTests {
    let server: TestServer

    init() throws { server = try TestServer.shared() }

    private struct Outcome: Sendable {
        var status = 0
        var type: String?
        var body: [UInt8] = []
        var error: HTTPError?
        var duration = Duration.zero
    }

    /// Reads in pieces of a size, and stops after a number of bytes if that is given.
    private func exchange(
        _ request: HTTPRequest, pieces: Int = 10_000, stopAfter: Int = .max, deadline: Duration = .seconds(20),
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) async throws -> Outcome {
        let tls = try server.trust()
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var outcome = Outcome()
                let start = ContinuousClock.now
                do throws(HTTPError) {
                    let exchange = try BlockingExchange(
                        request, tls: tls, proxy: .none, userAgent: "git/2.0", deadline: start + deadline,
                        isCancelled: isCancelled)
                    try exchange.begin()
                    outcome.status = exchange.status
                    outcome.type = exchange.headers["content-encoding"]
                    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieces, alignment: 1)
                    defer { buffer.deallocate() }
                    while outcome.body.count < stopAfter {
                        let count = try exchange.read(into: buffer)
                        if count == 0 { break }
                        outcome.body += buffer[..<count]
                    }
                } catch {
                    outcome.error = error
                }
                outcome.duration = ContinuousClock.now - start
                continuation.resume(returning: outcome)
            }
        }
    }

    @Test func postsABodyAndReadsTheAnswer() async throws {
        let body = [UInt8](repeating: 0x61, count: 300_000)
        let outcome = try await exchange(HTTPRequest(method: "POST", url: server.tls + "/echo", body: body), pieces: 7)
        #expect(outcome.error == nil)
        #expect(outcome.status == 200)
        #expect(try object(outcome.body)["length"] as? Int == 300_000)
    }

    @Test func readsMoreThanItsBuffer() async throws {
        let outcome = try await exchange(HTTPRequest(url: server.tls + "/big?n=30000000"), pieces: 65_536)
        #expect(outcome.error == nil)
        #expect(outcome.body.count == 30_000_000)
    }

    @Test func unpacksGzip() async throws {
        let outcome = try await exchange(HTTPRequest(url: server.tls + "/gzip?n=3000000"))
        #expect(outcome.type == "gzip")
        #expect(outcome.body.count == 3_000_000)
    }

    @Test func givesBackTheStatusOfARefusal() async throws {
        #expect(try await exchange(HTTPRequest(url: server.tls + "/busy")).status == 429)
    }

    @Test func endsAtItsDeadline() async throws {
        let outcome = try await exchange(
            HTTPRequest(url: server.tls + "/trickle?n=10000"), deadline: .milliseconds(400))
        #expect(outcome.error?.kind == .timedOut)
        #expect(outcome.duration < .seconds(60))
    }

    @Test(arguments: ["/stall", "/hang"])
    func endsAfterTooLongASilence(_ path: String) async throws {
        let limits = HTTPLimits(total: nil, idle: .milliseconds(300))
        let outcome = try await exchange(HTTPRequest(url: server.tls + path, limits: limits))
        #expect(outcome.error?.kind == .stalled)
        #expect(outcome.duration < .seconds(60))
    }

    @Test func endsAtTheMostItMayRead() async throws {
        let limits = HTTPLimits(total: nil, maximumAnswerBytes: 1_000_000)
        let outcome = try await exchange(HTTPRequest(url: server.tls + "/gzip?n=50000000", limits: limits))
        #expect(outcome.error?.kind == .tooLarge)
        #expect(outcome.body.count <= 1_000_000)
    }

    @Test func endsWhenItIsCancelled() async throws {
        let asked = Mutex(0)
        let outcome = try await exchange(HTTPRequest(url: server.tls + "/hang")) {
            asked.withLock { count in
                count += 1
                return count > 3
            }
        }
        #expect(outcome.error?.kind == .cancelled)
        #expect(outcome.duration < .seconds(60))
    }

    @Test func canBeLeftInTheMiddle() async throws {
        let outcome = try await exchange(HTTPRequest(url: server.tls + "/endless"), stopAfter: 6_000_000)
        #expect(outcome.error == nil)
        #expect(outcome.body.count >= 6_000_000)
    }

    @Test(arguments: [("/short", HTTPError.Kind.closedEarly), ("/vanish", .closedEarly)])
    func tellsHowAServerBroke(_ path: String, _ kind: HTTPError.Kind) async throws {
        #expect(try await exchange(HTTPRequest(url: server.plain + path)).error?.kind == kind)
    }

    @Test func tellsThatNobodyIsThere() async throws {
        let error = try await exchange(HTTPRequest(url: "http://127.0.0.1:1/")).error
        #expect(error?.kind == .couldNotConnect)
        #expect(error?.mayHaveBeenSent == false)
        #expect(try await exchange(HTTPRequest(url: "rubbish://x")).error?.kind == .invalidURL)
    }
}

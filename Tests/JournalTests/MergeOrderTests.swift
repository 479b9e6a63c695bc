import Testing

@testable import Journal

@Suite struct MergeOrderTests {
    @Test(
        arguments: [
            ([], []),
            ([5], [5]),
            ([1, 2, 2, 3], [1, 2, 2, 3]),
            // One that is dated ahead, and one that is dated back.
            ([1, 2, 99, 3, 4], [1, 2, 2, 3, 4]),
            ([10, 11, 0, 12], [10, 11, 11, 12]),
            ([99, 1, 2, 3], [1, 1, 2, 3]),
            ([3, 2, 1], [1, 1, 1]),
        ] as [([Int64], [Int64])])
    func aWrongClockMovesNoOtherEntry(_ times: [Int64], _ steady: [Int64]) {
        #expect(steadyTimes(times) == steady)
    }

    @Test func entriesOfOneMomentStandInTheOrderOfTheLogs() {
        let order = MergeOrder([
            MergeOrder.Log(numbers: [1, 2, 3], times: [1, 5, 9]), MergeOrder.Log(numbers: [7, 8], times: [5, 6]),
        ])
        #expect(order.map { "\($0.log):\($0.number)" } == ["0:1", "0:2", "1:7", "1:8", "0:3"])
    }

    @Test func theOrderOfALogIsNeverContradicted() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let logs = (0..<3).map { _ in
                let times = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                    Int64.random(in: 0...20, using: &random)
                }
                return MergeOrder.Log(numbers: Array(1...31).prefix(times.count).map(Int64.init), times: times)
            }
            var seen: [Int: Int64] = [:]
            for (log, number) in MergeOrder(logs) {
                #expect(number == (seen[log] ?? 0) + 1)
                seen[log] = number
            }
            #expect(seen.values.reduce(0, +) == Int64(logs.reduce(0) { $0 + $1.numbers.count }))
        }
    }
}

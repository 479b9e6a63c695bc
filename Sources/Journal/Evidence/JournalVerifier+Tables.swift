import SQLite

extension JournalVerifier {
    /// What entries are found and shown by: views, indexes and triggers that somebody changed would show others.
    static func checkTables(
        _ path: String, of schema: Schema, _ request: VerificationRequest, _ report: inout VerificationReport
    ) async throws(JournalFailure) {
        let comparesIndexes = request.comparesIndexes
        let answer: (findings: [TamperFinding], isDeep: Bool)
        do throws(JournalFailure) {
            answer = try await onConnection(to: path) { (connection) throws(JournalFailure) in
                try JournalFailure.wrapping { () throws(DatabaseError) in
                    let tables =
                        [
                            "entries", "tree_blocks", "checkpoints", "checkpoint_keys", "identity", "cut", "cut_blocks",
                            "entries_text",
                        ] + (schema.applicationID == MergedSchema.applicationID ? MergedSchema.tables : [])
                    var findings: [TamperFinding] = []
                    let found = try connection.definitions(ofTables: tables)
                    let expected = try JournalSchema.expectedDefinitions(ofTables: tables, in: schema)
                    if let strange = Set(found).symmetricDifference(expected).sorted().first {
                        findings.append(
                            TamperFinding(
                                .damaged, nil, "the tables are not those that bylaw makes: \(strange.prefix(160))"))
                    }
                    findings += try cutFindings(on: connection)
                    let isSmall = try connection.sizeInBytes() <= maximumCheckedBytes
                    let isChecked = comparesIndexes ?? isSmall
                    if isChecked {
                        for detail in try connection.integrityFindings(ofTable: "entries").prefix(3) {
                            findings.append(
                                TamperFinding(.damaged, nil, "what lists show is not what the entries are: \(detail)"))
                        }
                        if try !TextIndex.isWhole(on: connection) {
                            findings.append(
                                TamperFinding(
                                    .damaged, nil,
                                    "what a search finds is not what the entries are: the text index differs"))
                        }
                    }
                    return (findings, isChecked)
                }
            }
        } catch {
            answer = ([try damage(error, at: nil)], false)
        }
        report.findings += answer.findings
        report.areIndexesChecked = answer.isDeep
    }

    /// Whether what retention recorded beside the entry that says so is whole.
    static func cutFindings(on connection: Connection) throws(DatabaseError) -> [TamperFinding] {
        let isWhole = try connection.firstRow(
            """
            SELECT (SELECT count(*) FROM cut) = 1 AND (SELECT count(*) FROM cut_blocks) * 256 = through
                AND (SELECT ifnull(max(block) + 1, 0) FROM cut_blocks) * 256 = through FROM cut LIMIT 1
            """
        ) { (row) throws(DatabaseError) in try row.integer(0) }
        guard isWhole != 1 else { return [] }
        return [TamperFinding(.damaged, nil, "what retention recorded of itself is not what it writes")]
    }

    private static let maximumCheckedBytes: Int64 = 128 << 20
}

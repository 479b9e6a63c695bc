import Policy
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("0.0Gi", "0"), ("+5", "5"), ("007", "7"), ("1.", "1"), (".5", "500m"),
        ("1000m", "1"), ("1500m", "1500m"), ("100m", "100m"), ("0.1", "100m"), ("1.25", "1250m"), ("1000", "1k"),
        ("1000000", "1M"), ("1500000", "1500k"), ("12345", "12345"), ("1000M", "1G"), ("2E", "2E"),
        ("1024Mi", "1Gi"), ("0.5Gi", "512Mi"), ("1.5Gi", "1536Mi"), ("0.5Ki", "512"), ("1Ki", "1Ki"),
        ("1025Ki", "1025Ki"), ("1024Ki", "1Mi"), ("0.1Ki", "102400m"), ("1.0001Ki", "1024102400u"),
        ("8Ei", "9223372036854775807"), ("7Ei", "7Ei"), (".001Ki", "1024m"), (".000001Ki", "1024u"),
        (".000000001Ki", "1024n"), (".000000000001Ki", "2n"),
        ("1e3", "1e3"), ("1E3", "1e3"), ("12e2", "1200"), ("1e4", "10e3"), ("1e-3", "1e-3"), ("1.5e0", "1500e-3"),
        ("1n", "1n"), ("0.1n", "1n"), ("1u", "1u"), ("-1500m", "-1500m"), ("-1Gi", "-1Gi"),
        ("1e-999", "1e-9"), ("100000000000000000000", "100E"),
    ])
    func hasTheSpellingOfTheServer(_ text: String, _ canonical: String) throws {
        #expect(try #require(Quantity(text)).description == canonical)
    }

    @Test(arguments: [
        ("1", "1"), ("1001u", "2m"), ("1n", "1m"), ("0.5m", "1m"), ("-1u", "-1m"), ("1m", "1m"),
        ("1.0001Ki", "1024103m"),
    ])
    func isStoredInWholeThousandthsRoundedUp(_ text: String, _ stored: String) throws {
        #expect(try #require(Quantity(text)).roundedToThousandths.description == stored)
    }

    @Test(arguments: [
        "", " 1", "1 ", "abc", "1.2.3", "1i", ".5i", "1ki", "1KI", "1K", "0.1mi", "1+1.0M", "--1", "1e", "1e+", "1ee3",
        "1e3e3", "1_000", "0x10", "1,5", "NaN", "Infinity", "١", "1e99999999999", "1e300", ".", "-", "Ki",
    ])
    func refusesWhatIsNoQuantity(_ text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test func comparesByValue() throws {
        #expect(try #require(Quantity("1000m")) == #require(Quantity("1")))
        #expect(try #require(Quantity("1024Mi")) == #require(Quantity("1Gi")))
        #expect(try #require(Quantity("1G")) < #require(Quantity("1Gi")))
        #expect(try #require(Quantity("-1")) < #require(Quantity("1n")))
    }

    @Test func isBounded() {
        #expect(Quantity(String(repeating: "9", count: 100_000)) == nil)
        #expect(Quantity("0." + String(repeating: "0", count: 3000) + "1")?.description == "1n")
        #expect(Quantity("1" + String(repeating: "0", count: 60)) == nil)
    }

    @Test(arguments: ["1", "1500m", "12Ki", "5e3", "1023Mi", "17", "900n", "3E", "1e-6", "-77k"])
    func keepsItsCanonicalSpelling(_ text: String) throws {
        let once = try #require(Quantity(text)).description
        #expect(try #require(Quantity(once)).description == once)
    }
}

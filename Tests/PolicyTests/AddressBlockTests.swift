import Policy
import Testing

@Suite struct AddressBlockTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("192.168.1.7/32", "192.168.1.7/32"),
        ("::/0", "::/0"), ("2001:db8::/32", "2001:db8::/32"), ("FE80:0abc:0:0:0:0:0:0/64", "fe80:abc::/64"),
        ("1:2:3:4:5:6:7:8/128", "1:2:3:4:5:6:7:8/128"), ("1:0:0:2:0:0:0:3/128", "1:0:0:2::3/128"),
        ("::1/128", "::1/128"), ("1::/16", "1::/16"), ("1:0:2:3:4:5:6:7/128", "1:0:2:3:4:5:6:7/128"),
        ("64:ff9b::1.2.3.4/128", "64:ff9b::102:304/128"), ("1:2:3:4:5:6:7::/112", "1:2:3:4:5:6:7:0/112"),
    ])
    func isReadAndSpelledCanonically(_ text: String, _ canonical: String) throws {
        let block = try #require(AddressBlock(text))
        #expect(block.description == canonical)
        #expect(block.strictProblem == nil)
    }

    @Test(arguments: [
        ("010.0.0.0/8", "must not have leading 0s in IP or prefix length"),
        ("10.0.0.0/08", "must not have leading 0s in IP or prefix length"),
        ("::ffff:10.0.0.0/104", "must not have an IPv4-mapped IPv6 address"),
        ("10.0.0.1/8", "must not have bits set beyond the prefix length"),
        ("2001:db8::1/64", "must not have bits set beyond the prefix length"),
    ])
    func isHeldToTheStrictFormOfNewObjects(_ text: String, _ problem: String) throws {
        #expect(try #require(AddressBlock(text)).strictProblem == problem)
    }

    @Test(arguments: [
        "", "/", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.256/8", "10.0.0.0/8/8",
        "10.0.0.0/-1", "10.0.0.0/+8", " 10.0.0.0/8", "10.0.0.0/8 ", "fe80::1%eth0/64", "1:2:3/48", "1::2::3/64", ":1/8",
        "1:/8", ":::/8", "12345::/16", "g::/16", "1:2:3:4:5:6:7:8:9/128", "1:2:3:4:5:6:7:8::/128", "1.2.3.4::/16",
        "::1.2.3/128", "10.0.0.0/99999999999999999999", "a.b.c.d/8",
    ])
    func refusesWhatIsNoBlock(_ text: String) {
        #expect(AddressBlock(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.1.0.0/16", true), ("10.0.0.0/8", "10.0.0.0/8", false), ("10.0.0.0/8", "11.0.0.0/16", false),
        ("10.0.0.0/16", "10.0.0.0/8", false), ("0.0.0.0/0", "1.2.3.4/32", true), ("::/0", "fe80::/10", true),
        ("::/0", "10.0.0.0/8", false), ("10.0.0.0/8", "fd00::/32", false), ("fd00::/8", "fd00:1::/32", true),
    ])
    func knowsWhatItContains(_ outer: String, _ inner: String, _ contains: Bool) throws {
        #expect(try #require(AddressBlock(outer)).strictlyContains(#require(AddressBlock(inner))) == contains)
    }
}

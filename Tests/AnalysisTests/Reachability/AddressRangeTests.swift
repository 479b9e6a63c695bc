@testable import Analysis
import Policy
import Testing

@Suite struct AddressRangeTests {
    private func ranges(_ blocks: String...) throws -> [AddressRange] {
        try blocks.map { try #require(AddressBlock($0)).range }
    }

    @Test func blocksThatTouchBecomeFewer() throws {
        let parts = try ranges("10.0.1.0/24", "10.0.0.0/24", "10.0.2.0/25", "2001:db8::/33", "2001:db8:8000::/33")
        #expect(AddressRange.blocks(parts).map(\.description) == ["10.0.0.0/23", "10.0.2.0/25", "2001:db8::/32"])
    }

    @Test func aBlockWithoutAnotherIsTheFewestBlocks() throws {
        let rest = try ranges("10.0.0.0/8")[0].subtracting(try ranges("10.128.0.0/10", "10.0.0.0/9"))
        #expect(AddressRange.blocks(rest).map(\.description) == ["10.192.0.0/10"])
        #expect(try ranges("10.0.0.0/8")[0].subtracting(try ranges("0.0.0.0/0")) == [])
    }

    @Test(arguments: ["0.0.0.0/0", "::/0", "255.255.255.255/32", "ffff::/16", "::/1"])
    func aBlockAtTheEndOfTheAddressesIsItself(_ text: String) throws {
        #expect(AddressRange.blocks(try ranges(text)).map(\.description) == [text])
    }

    @Test func everyVersion4AddressIsNotEveryAddress() throws {
        let all = try #require(AddressBlock("0.0.0.0/0"))
        #expect(!all.contains(try #require(AddressBlock(address: "2001:db8::1"))))
        #expect(all.contains(try #require(AddressBlock("::ffff:10.0.0.0/104"))))
    }

    @Test func policiesTellOnlyTheAddressesApartThatTheyName() throws {
        func peer(_ block: String, _ exceptions: String...) throws -> NetworkPolicyRules.AddressPeer {
            NetworkPolicyRules.AddressPeer(
                block: try #require(AddressBlock(block)),
                exceptions: try exceptions.map { try #require(AddressBlock($0)) })
        }
        let wide = try peer("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24")
        let narrow = try peer("10.1.2.0/24")
        let space = AddressSpace([wide, narrow])
        // Within the wide block, within the narrow one, and everything else.
        #expect(space.classCount == 3)
        #expect(space.blocks(of: space.classes(of: narrow).elements, within: nil).map(\.description) == ["10.1.2.0/24"])
        let bounds = try ranges("10.0.0.0/15")[0]
        #expect(
            space.blocks(of: space.classes(of: wide).elements, within: bounds).map(\.description) == ["10.0.0.0/16"])
    }
}

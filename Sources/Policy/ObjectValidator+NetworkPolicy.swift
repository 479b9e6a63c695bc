import Manifest

extension ObjectValidator {
    mutating func validateNetworkPolicy() {
        let spec = tree["spec"] ?? [:]
        validateSelector(spec["podSelector"] ?? [:], at: .spec.field("podSelector"))
        for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
            for (rule, path) in Self.elements(spec[direction], at: .spec.field(direction)) {
                for (port, path) in Self.elements(rule["ports"], at: path.field("ports")) {
                    validatePort(port, at: path)
                }
                for (peer, path) in Self.elements(rule[peers], at: path.field(peers)) { validatePeer(peer, at: path) }
            }
        }
        validatePolicyTypes(spec["policyTypes"])
    }

    private mutating func validatePolicyTypes(_ list: Tree?) {
        let path = FieldPath.spec.field("policyTypes")
        let types = Self.elements(list, at: path)
        guard types.count <= 2 else {
            problems.invalid(
                path, list?.strings.joined(separator: ", ") ?? "", "may not specify more than two policyTypes",
                hint: "Write Ingress, Egress, or both once.")
            return
        }
        for (type, path) in types {
            let name = type.string ?? ""
            guard name != "Ingress", name != "Egress" else { continue }
            problems.unsupported(path, name, supported: ["Ingress", "Egress"])
        }
    }

    private mutating func validatePort(_ port: Tree, at path: FieldPath) {
        if let transport = port["protocol"]?.string, !["TCP", "UDP", "SCTP"].contains(transport) {
            problems.unsupported(path.field("protocol"), transport, supported: ["TCP", "UDP", "SCTP"])
        }
        let end = port["endPort"]?.integer
        let endPath = path.field("endPort")
        switch port["port"] {
        case .integer(let number):
            validatePortNumber(number, at: path.field("port"))
            guard let end else { return }
            if end < number {
                problems.invalid(
                    endPath, number: end, "must be greater than or equal to `port`",
                    hint: "Write the lower port in port and the higher one in endPort.")
            }
            validatePortNumber(end, at: endPath)
        case .string(let name):
            if let end {
                problems.invalid(
                    endPath, number: end, "may not be specified when `port` is non-numeric",
                    hint: "Write the port as a number, without quotes.")
            }
            for detail in Names.portNameProblems(name) {
                let isNumber = !name.isEmpty && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
                problems.invalid(
                    path.field("port"), name, detail,
                    hint: isNumber ? "Write the number without quotes." : "Write the name of a container port.")
            }
        default:
            guard let end else { return }
            problems.invalid(
                endPath, number: end, "may not be specified when `port` is not specified",
                hint: "Write the first port of the range in port.")
        }
    }

    private mutating func validatePortNumber(_ number: Int64, at path: FieldPath) {
        guard !(1...65_535).contains(number) else { return }
        problems.invalid(
            path, number: number, "must be between 1 and 65535, inclusive", hint: "Write a port number in that range.")
    }

    private mutating func validatePeer(_ peer: Tree, at path: FieldPath) {
        var peers = 0
        for name in ["podSelector", "namespaceSelector"] {
            guard let selector = peer[name] else { continue }
            peers += 1
            validateSelector(selector, at: path.field(name))
        }
        let block = peer["ipBlock"]
        if let block { validateBlock(block, at: path.field("ipBlock")) }
        if peers == 0, block == nil {
            problems.required(
                path, "must specify a peer",
                hint: "Name a podSelector, a namespaceSelector or an ipBlock; for every peer delete the whole list.")
        } else if peers > 0, block != nil {
            problems.forbidden(
                path, "may not specify both ipBlock and another peer", hint: "Make two entries of it, each with a dash."
            )
        }
    }

    private mutating func validateBlock(_ block: Tree, at path: FieldPath) {
        let text = block["cidr"]?.string ?? ""
        guard !text.isEmpty else {
            problems.required(path.field("cidr"), hint: "Write a block of addresses, as in 10.0.0.0/8.")
            return
        }
        guard let outer = validateAddresses(text, at: path.field("cidr")) else { return }
        for (value, path) in Self.elements(block["except"], at: path.field("except")) {
            let text = value.string ?? ""
            guard let inner = validateAddresses(text, at: path) else { continue }
            if !outer.strictlyContains(inner) {
                problems.invalid(
                    path, text, "must be a strict subset of `cidr`",
                    hint: "Except only addresses that cidr covers, and not all of them.")
            }
        }
    }

    /// - Returns: The block where it could be read at all, as the server goes on with it although its form is wrong.
    private mutating func validateAddresses(_ text: String, at path: FieldPath) -> AddressBlock? {
        guard let block = AddressBlock(text) else {
            let hint =
                AddressBlock(text + "/0") == nil
                ? "Write an address, a slash and the length of the prefix."
                : "Add the length of the prefix; for a single address that is \(text.contains(":") ? "/128" : "/32")."
            problems.invalid(
                path, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
                hint: templateHint(for: text) ?? hint)
            return nil
        }
        if let detail = block.strictProblem {
            problems.invalid(path, text, detail, hint: "Write the block as \(block).")
        } else if !block.description.hasSameBytes(as: text) {
            problems.warn(path, "\(quoted(text)) is an unusual spelling", hint: "Write the block as \(block).")
        }
        return block
    }
}

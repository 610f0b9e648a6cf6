internal import Blocks

// Options, one function each.
extension Negotiation {
    mutating func answer(_ option: UInt32, _ data: ArraySlice<UInt8>) -> Step {
        let code = OptionCode(rawValue: option)
        if encryption == .required, code != .startTLS, code != .abort {
            guard code == .exportName else {
                refusePlain(option)
                return .awaitMore
            }
            complaint = "asked for an export without TLS, which is required here: let it use nbds:// instead of nbd://"
            return .close
        }
        switch code {
        case .exportName: return enter(data)
        case .abort:
            reply(to: option, .ack)
            return .close
        case .list: list(option, data)
        case .info, .go: return describe(option, data)
        case .structuredReply:
            if data.isEmpty {
                isStructured = true
                reply(to: option, .ack)
            } else {
                reply(to: option, .invalid, text: "STRUCTURED_REPLY takes no data")
            }
        case .listMetaContext: metaContexts(option, data, selecting: false)
        case .setMetaContext: metaContexts(option, data, selecting: true)
        case .startTLS: return startTLS(option, data)
        case nil: reply(to: option, .unsupported)
        }
        return .awaitMore
    }

    private mutating func startTLS(_ option: UInt32, _ data: ArraySlice<UInt8>) -> Step {
        switch encryption {
        case .off: reply(to: option, .unsupported, text: "this server has no TLS here")
        case .active: reply(to: option, .invalid, text: "TLS runs already")
        case .offered, .required:
            guard data.isEmpty else {
                reply(to: option, .invalid, text: "STARTTLS takes no data")
                break
            }
            reply(to: option, .ack)
            return .secure
        }
        return .awaitMore
    }

    mutating func refusePlain(_ option: UInt32) {
        reply(to: option, .tlsRequired, text: "this server requires TLS: use nbds:// instead of nbd://")
    }

    /// EXPORT_NAME: the only way to refuse is to hang up.
    private mutating func enter(_ data: ArraySlice<UInt8>) -> Step {
        var reader = FieldReader(data)
        guard let name = reader.string(data.count), let export = lookUp(name) else { return .close }
        let agreement = agree(on: export, askedAs: name)
        replies.append(big: UInt64(agreement.size.bytes))
        replies.append(big: export.flags(structured: isStructured).rawValue)
        if !omitsZeroes { replies.append(contentsOf: repeatElement(0, count: 124)) }
        return .transmission(agreement)
    }

    private mutating func list(_ option: UInt32, _ data: ArraySlice<UInt8>) {
        guard data.isEmpty else { return reply(to: option, .invalid, text: "LIST takes no data") }
        for line in listing() {
            var body: [UInt8] = []
            body.append(big: UInt32(line.name.utf8.count))
            body += Array(line.name.utf8)
            body += Array(line.description.utf8.prefix(Bounds.stringMax))
            reply(to: option, .server, body)
        }
        reply(to: option, .ack)
    }

    /// INFO and GO: name, then the pieces of information asked for. All that we have are sent in any case.
    private mutating func describe(_ option: UInt32, _ data: ArraySlice<UInt8>) -> Step {
        var reader = FieldReader(data)
        guard let name = reader.countedString(), let count = reader.integer(UInt16.self),
            reader.remaining == 2 * Int(count)
        else {
            reply(to: option, .invalid, text: "malformed export name or list of information requests")
            return .awaitMore
        }
        guard let export = lookUp(name) else {
            reply(to: option, .unknown, text: "there is no export '\(name)'")
            return .awaitMore
        }
        var asked: Set<UInt16> = []
        while let type = reader.integer(UInt16.self) { asked.insert(type) }
        let agreement = agree(on: export, askedAs: name)
        sendInfo(option, agreement, asked)
        reply(to: option, .ack)
        return option == OptionCode.go.rawValue ? .transmission(agreement) : .awaitMore
    }

    private mutating func sendInfo(_ option: UInt32, _ agreement: Agreement, _ asked: Set<UInt16>) {
        var export: [UInt8] = []
        export.append(big: InfoType.export.rawValue)
        export.append(big: UInt64(agreement.size.bytes))
        export.append(big: agreement.export.flags(structured: isStructured).rawValue)
        reply(to: option, .info, export)

        var sizes: [UInt8] = []
        sizes.append(big: InfoType.blockSize.rawValue)
        for size in [Bounds.blockSizeMin, Bounds.blockSizePreferred, UInt32(Bounds.payloadMax)] {
            sizes.append(big: size)
        }
        reply(to: option, .info, sizes)

        for (type, text) in [(InfoType.name, agreement.export.name), (.description, agreement.export.description)]
        where asked.contains(type.rawValue) && !text.isEmpty {
            var body: [UInt8] = []
            body.append(big: type.rawValue)
            body += Array(text.utf8.prefix(Bounds.stringMax))
            reply(to: option, .info, body)
        }
    }

    private func agree(on export: Export, askedAs name: String) -> Agreement {
        let contexts = isStructured && selected?.export == name ? selected?.contexts ?? [] : []
        return Agreement(
            export: export, size: export.device.size, isReadOnly: export.refusesWrites, isStructured: isStructured,
            contexts: contexts)
    }

    /// LIST_META_CONTEXT and SET_META_CONTEXT: export name, number of queries, queries.
    private mutating func metaContexts(_ option: UInt32, _ data: ArraySlice<UInt8>, selecting: Bool) {
        if selecting { selected = nil }
        guard isStructured else {
            return reply(to: option, .invalid, text: "negotiate STRUCTURED_REPLY first")
        }
        var reader = FieldReader(data)
        guard let name = reader.countedString(), let count = reader.integer(UInt32.self) else {
            return reply(to: option, .invalid, text: "malformed export name or number of queries")
        }
        var found: [MetaContext] = count == 0 && !selecting ? MetaContext.allCases : []
        for _ in 0..<count {
            guard let query = reader.countedString() else {
                return reply(to: option, .invalid, text: "malformed query")
            }
            for context in MetaContext.matching(query, listing: !selecting) where !found.contains(context) {
                found.append(context)
            }
        }
        guard reader.remaining == 0 else { return reply(to: option, .invalid, text: "data after the last query") }
        guard let export = lookUp(name) else {
            return reply(to: option, .unknown, text: "there is no export '\(name)'")
        }
        found.removeAll { $0 == .dirty && !export.tracksChanges }
        if selecting { selected = (name, found) }
        for context in found {
            var body: [UInt8] = []
            body.append(big: selecting ? context.id : 0)
            body += Array(context.name.utf8)
            reply(to: option, .metaContext, body)
        }
        reply(to: option, .ack)
    }

    mutating func reply(to option: UInt32, _ type: OptionReply, text: String) {
        reply(to: option, type, Array(text.utf8.prefix(Bounds.stringMax)))
    }

    private mutating func reply(to option: UInt32, _ type: OptionReply, _ body: [UInt8] = []) {
        replies.append(big: Magic.optionReply)
        replies.append(big: option)
        replies.append(big: type.rawValue)
        replies.append(big: UInt32(body.count))
        replies += body
    }
}

extension Export {
    /// Does the device say what changed? Asked for its first sector.
    var tracksChanges: Bool {
        do { return try device.changes(in: ByteRange(at: 0, count: min(device.size, Sector.size))) != nil } catch {
            return false
        }
    }
}

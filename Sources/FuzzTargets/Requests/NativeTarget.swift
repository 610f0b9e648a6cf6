internal import Blocks
@testable internal import Console
internal import ControlPlane
internal import FoundationEssentials

extension FuzzTarget {
    static let native = FuzzTarget("native-api", bytesMax: 1024, seeds: NativeTarget.seeds, NativeTarget.run)
}

/// Requests to the native API: up to eight in a row against a real house. Routes and keys are known ones or any text;
/// ids are those that answers gave. Nothing a client sends is the server's fault: no answer has status 500.
enum NativeTarget {
    static func run(_ bytes: [UInt8]) throws { try Tenancy.waiting { try await talk(bytes) } }

    private static func talk(_ bytes: [UInt8]) async throws {
        let tenant = try await Tenancy.shared.enter()
        let api = NativeAPI(tenant)
        var input = FuzzInput(bytes)
        var ids: [String] = []
        for _ in 0..<8 where !input.isEmpty {
            let request = next(&input, ids)
            let answer = await api.answer(request, for: .root)
            try demand(
                [200, 201, 204, 400, 403, 404, 409, 501, 503, 507].contains(answer.status),
                "\(request.method) \(request.path)?\(request.query) \(String(decoding: request.body, as: UTF8.self)) "
                    + "has status \(answer.status): \(answer.logged ?? "")")
            if answer.status == 204 {
                try demand(answer.body.isEmpty, "204 has no body")
            } else {
                guard let json = try? JSONDecoder().decode(Answered.self, from: Data(answer.body)) else {
                    throw BrokenProperty(
                        description: "an answer is JSON: \(String(decoding: answer.body, as: UTF8.self))")
                }
                if let id = json.id { ids.append(id) }
            }
        }
    }

    private struct Answered: Decodable {
        let id: String?
    }

    // MARK: Making requests

    private static func next(_ input: inout FuzzInput, _ ids: [String]) -> NativeRequest {
        let at = Int(input.byte())
        guard at < 200 else {
            return NativeRequest(
                method: input.pick(["GET", "POST", "PUT"]), path: "/" + input.text(), query: input.text(),
                body: input.piece())
        }
        let route = NativeAPI.routes[at % NativeAPI.routes.count]
        let path = route.pattern.map { $0.hasPrefix("{") ? id(&input, ids) : $0 }
        var query = ""
        for name in route.query where input.flag() {
            query += (query.isEmpty ? "" : "&") + "\(name)=" + (input.flag() ? String(input.edge()) : id(&input, ids))
        }
        let body: [UInt8]
        if route.takesBytes {
            body = input.flag() ? input.piece() : [UInt8](repeating: input.byte(), count: Int(input.byte()) * 512)
        } else if route.keys.isEmpty || input.choice(8) == 7 {
            body = input.piece()
        } else {
            body = Array(document(route.keys, &input, ids).utf8)
        }
        return NativeRequest(
            method: route.method, path: "/" + path.joined(separator: "/"), query: query, body: body)
    }

    private static func id(_ input: inout FuzzInput, _ ids: [String]) -> String {
        let choice = input.choice(8)
        if choice == 7 { return input.text() }
        return ids.isEmpty ? "vol-0123456789abcdef0" : ids[choice % ids.count]
    }

    private static func document(_ keys: [String], _ input: inout FuzzInput, _ ids: [String]) -> String {
        let fields = keys.compactMap { key -> String? in
            let value: String
            switch input.choice(8) {
            case 0: return nil
            case 1: value = "null"
            case 2: value = String(input.edge())
            case 3: value = ["1e300", "-0", "1.5", "true", "[]", "{}", "[[\"\"]]"][input.choice(7)]
            case 4: value = quoted(input.text())
            case 5: value = "[" + quoted(id(&input, ids)) + "," + quoted(id(&input, ids)) + "]"
            default: value = key.hasSuffix("Bytes") ? String(4096 * (1 + input.choice(64))) : quoted(id(&input, ids))
            }
            return "\"\(key)\":\(value)"
        }
        return "{" + fields.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            default:
                scalar.value < 0x20
                    ? "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16) : "\(scalar)"
            }
        }
        return "\"" + escaped.joined() + "\""
    }

    static func seeds() -> [[UInt8]] {
        func at(_ method: String, _ pattern: String) -> UInt8 {
            let segments = NativeRoute.segments(of: pattern)
            return UInt8(NativeAPI.routes.firstIndex { $0.method == method && $0.pattern == segments } ?? 0)
        }
        // Keys in the order of each document; 6: a good value, 0: absent.
        var life = SeedBuilder(at("POST", "/volumes"), 0, 6, 3, 0, 0, 0)
        life.add(at("POST", "/volumes/{id}/attach"), 0, 0, 0)
        life.add(at("POST", "/snapshots"), 0, 6, 0, 0, 0)
        life.add(at("GET", "/snapshots/{id}"), 1, 0, 0)
        life.add(at("PATCH", "/volumes/{id}"), 0, 0, 6, 9, 0)
        life.add(at("GET", "/volumes"), 0, 0)
        var importing = SeedBuilder(at("POST", "/imports"), 0, 6, 1, 0)
        importing.add(at("PUT", "/imports/{id}/content"), 0, 1, 1, 0, 0, 7, 8)
        importing.add(at("POST", "/imports/{id}/finish"), 0, 0, 0)
        var all = [life.bytes, importing.bytes]
        for edge in 0..<18 as Range<UInt8> {
            all.append([at("POST", "/volumes"), 0, 2, edge, 0, 0, 0])
            all.append(importing.bytes.prefix(5) + [at("PUT", "/imports/{id}/content"), 0, 1, 1, edge, 0, 7, 8])
            all.append([at("POST", "/store/reclaim"), 0, 2, edge, at("GET", "/tasks"), 1, 1, edge])
        }
        var raw = SeedBuilder(255, 0)
        raw.add(text: "volumes/../volumes/x")
        raw.add(text: "limit=%41")
        raw.add(text: "{\"a\":[[[[[[[[]]]]]]]]}")
        return all + [raw.bytes]
    }
}

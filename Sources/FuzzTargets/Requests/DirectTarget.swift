internal import ControlPlane
@testable internal import EC2Dialect
internal import RequestSigning

extension FuzzTarget {
    static let direct = FuzzTarget("ebs-direct", bytesMax: 1024, seeds: DirectTarget.seeds, DirectTarget.run)
}

/// Requests of the EBS direct APIs: up to eight in a row against a real house, with known paths, members and headers or any text;
/// ids and tokens are those that answers gave. Nothing a client sends is the server's fault: no answer has status 500, and each is
/// JSON or a block.
enum DirectTarget {
    static func run(_ bytes: [UInt8]) throws { try Tenancy.waiting { try await talk(bytes) } }

    private static func talk(_ bytes: [UInt8]) async throws {
        let direct = DirectDialect(try await Tenancy.shared.enter()) { 1_800_000_000 }
        var input = FuzzInput(bytes)
        var ids: [String] = []
        for _ in 0..<8 where !input.isEmpty {
            let request = next(&input, ids)
            let answer = await direct.answer(request, for: .root)
            try demand(
                [200, 201, 202, 400, 402, 403, 404, 409].contains(answer.status),
                "\(request.method) \(request.path) has status \(answer.status): \(answer.logged ?? "")")
            let isBlock = answer.type == "application/octet-stream"
            try demand(
                isBlock ? answer.body.count == 524_288 : answer.body.first == UInt8(ascii: "{"),
                "an answer is a block or JSON: \(request.method) \(request.path)")
            if !isBlock { ids += found(in: String(decoding: answer.body, as: UTF8.self)) }
        }
    }

    /// The ids and tokens that an answer gives.
    private static func found(in answer: String) -> [String] {
        ["\"SnapshotId\":\"", "\"BlockToken\":\"", "\"NextToken\":\""].flatMap { key in
            answer.split(separator: key).dropFirst().prefix(2).map { String($0.prefix { $0 != "\"" }) }
        }
    }

    // MARK: Making requests

    private static let members = [
        "VolumeSize", "ParentSnapshotId", "Description", "ClientToken", "Encrypted", "KmsKeyArn", "Timeout", "Tags",
    ]
    private static let values = ["1", "10", "true", "null", "\"a\"", "[{\"Key\":\"k\",\"Value\":\"v\"}]", "[{}]"]
    private static let headers = [
        "x-amz-Data-Length", "x-amz-Checksum", "x-amz-Checksum-Algorithm", "x-amz-Progress", "x-amz-ChangedBlocksCount",
        "x-amz-Checksum-Aggregation-Method",
    ]
    private static let words = ["524288", "SHA256", "LINEAR", "0", "1", "", "100"]
    private static let parameters = [
        "blockToken", "maxResults", "pageToken", "startingBlockIndex", "firstSnapshotId",
    ]

    private static func next(_ input: inout FuzzInput, _ ids: [String]) -> DirectRequest {
        let kind = input.choice(8)
        switch kind {
        case 0, 1: return DirectRequest(method: "POST", path: "/snapshots", body: start(&input, ids))
        case 2, 3:
            let byte = input.byte()
            // A short one now and then.
            let body = [UInt8](repeating: byte, count: input.choice(8) == 7 ? 100 : 524_288)
            var headers = [("x-amz-data-length", "524288"), ("x-amz-checksum-algorithm", "SHA256")]
            headers.append(("x-amz-checksum", BodyHash(of: body).base64))
            let path = "/snapshots/\(id(&input, ids))/blocks/\(input.choice(4) == 3 ? input.edge() : input.choice(4))"
            return DirectRequest(method: "PUT", path: path, headers: more(&input) + headers, body: body)
        case 4:
            return DirectRequest(
                method: "POST", path: "/snapshots/completion/\(id(&input, ids))",
                headers: more(&input) + [("x-amz-changedblockscount", String(input.choice(4)))])
        case 5, 6:
            let tails = ["blocks", "changedblocks", "blocks/0", "blocks/\(input.edge())"]
            let query = (0..<input.choice(4)).map { _ in "\(input.pick(parameters))=\(id(&input, ids))" }
            return DirectRequest(
                method: "GET", path: "/snapshots/\(id(&input, ids))/\(input.pick(tails))",
                query: query.joined(separator: "&"))
        default:
            return DirectRequest(
                method: input.pick(["GET", "PUT", "POST", "DELETE"]), path: input.text(), query: input.text(),
                headers: more(&input), body: input.piece())
        }
    }

    private static func start(_ input: inout FuzzInput, _ ids: [String]) -> [UInt8] {
        if input.choice(16) == 15 { return input.piece() }
        var pairs = ["\"VolumeSize\":1"]
        for _ in 0..<input.choice(4) {
            let value =
                switch input.choice(8) {
                case 0: String(input.edge())
                case 1, 2: "\"\(id(&input, ids))\""
                default: input.pick(values)
                }
            pairs.append("\"\(input.pick(members))\":\(value)")
        }
        return Array("{\(pairs.joined(separator: ","))}".utf8)
    }

    private static func more(_ input: inout FuzzInput) -> [(name: String, value: String)] {
        (0..<input.choice(3)).map { _ in
            (input.pick(headers), input.choice(4) == 3 ? input.text() : input.pick(words))
        }
    }

    private static func id(_ input: inout FuzzInput, _ ids: [String]) -> String {
        switch input.choice(8) {
        case 0: input.text()
        case 1: String(input.edge())
        case 2: "snap-0123456789abcdef0"
        default: ids.isEmpty ? "snap-0123456789abcdef0" : input.pick(ids)
        }
    }

    static func seeds() -> [[UInt8]] {
        let start: [UInt8] = [0, 0, 0], put: [UInt8] = [2, 7, 0, 3, 0, 0, 1, 0], done: [UInt8] = [4, 3, 0, 0, 1]
        let list: [UInt8] = [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0]
        var raw = SeedBuilder(7, 1)
        raw.add(text: "/snapshots/%00/blocks/1")
        return [start + put + done + list, start + start + put + put + done, raw.bytes]
    }
}

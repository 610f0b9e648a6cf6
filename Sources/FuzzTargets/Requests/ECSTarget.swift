internal import ControlPlane
@testable internal import ECSDialect
internal import RequestSigning

extension FuzzTarget {
    static let ecs = FuzzTarget("ecs-rpc", bytesMax: 1024, seeds: ECSTarget.seeds, ECSTarget.run)
}

/// Requests of Alibaba's RPC API: up to eight in a row against a real house, of known actions and parameters or of any text; ids
/// are those that answers gave. Nothing a client sends is the server's fault: no answer has status 500, and each has the form
/// that was asked for.
enum ECSTarget {
    static func run(_ bytes: [UInt8]) throws { try Tenancy.waiting { try await talk(bytes) } }

    private static func talk(_ bytes: [UInt8]) async throws {
        let ecs = ECSDialect(try await Tenancy.shared.enter()) { "id" }
        var input = FuzzInput(bytes)
        var ids: [String] = []
        for _ in 0..<8 where !input.isEmpty {
            let query = next(&input, ids)
            // What is no text is refused before the dialect.
            guard let parameters = try? ACSParameters(query: query, form: "") else { continue }
            let request = ECSRequest(
                action: parameters["Action"], version: "2014-05-26", parameters: parameters.values, host: "h",
                usuallyJSON: true)
            let answer = await ecs.answer(request, for: .root)
            try demand(
                [200, 400, 403, 404, 409].contains(answer.status),
                "\(query) has status \(answer.status): \(answer.body) \(answer.logged ?? "")")
            let start = request.isJSON ? "{\"RequestId\":\"id\"" : "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<"
            try demand(answer.body.hasPrefix(start), "an answer has the form that was asked for: \(answer.body)")
            for name in ["\"DiskId\":\"", "\"SnapshotId\":\"", "\"InstanceId\":\""] {
                for part in answer.body.split(separator: name).dropFirst().prefix(2) {
                    ids.append(String(part.prefix { $0 != "\"" }))
                }
            }
        }
    }

    // MARK: Making requests

    private static let names = ECSDialect.actions.keys.sorted()
    private static let parameters = [
        "DiskId", "SnapshotId", "InstanceId", "DiskIds", "SnapshotIds", "InstanceIds", "ResourceId.1", "ResourceType",
        "ZoneId", "Size", "NewSize", "DiskCategory", "PerformanceLevel", "Encrypted", "DryRun", "Force", "PageNumber",
        "PageSize", "MaxResults", "NextToken", "Filter.1.Key", "Filter.1.Value", "Tag.1.Key", "Tag.1.Value", "TagKey.1",
        "SnapshotName", "DiskName", "Description", "RetentionDays", "Format", "Device", "Status", "RegionId", "Amount",
        "SystemDisk.Size", "DataDisk.1.Size", "InstanceName", "ClientToken",
    ]
    private static let words = [
        "us-east-1a", "us-east-1", "cloud", "cloud_essd", "PL1", "true", "false", "disk", "snapshot", "20", "1", "0",
        "",
        "[]", "[\"a\"]", "CreationStartTime", "2026-01-01T00:00Z", "XML", "abc", "all", "/dev/xvdc",
    ]

    private static func next(_ input: inout FuzzInput, _ ids: [String]) -> String {
        if input.choice(16) == 15 { return input.text() }
        var query = "Action=\(input.pick(names))"
        for _ in 0..<input.choice(8) {
            let name = input.choice(16) == 15 ? input.text() : input.pick(parameters)
            query += "&\(name)=\(value(&input, ids))"
        }
        return query
    }

    private static func value(_ input: inout FuzzInput, _ ids: [String]) -> String {
        switch input.choice(8) {
        case 0: return input.text()
        case 1: return String(input.edge())
        case 2, 3: return ids.isEmpty ? "d-00000000000000000000" : input.pick(ids)
        default: return input.pick(words)
        }
    }

    static func seeds() -> [[UInt8]] {
        func at<Value: Equatable>(_ value: Value, in all: [Value]) -> UInt8 { UInt8(all.firstIndex(of: value) ?? 0) }
        /// A request: its action, and parameters with a word, or with the first id that an answer gave.
        func ask(_ action: String, _ pairs: (String, String?)...) -> [UInt8] {
            var bytes = [0, at(action, in: names), UInt8(pairs.count)]
            for (name, word) in pairs {
                bytes += [0, at(name, in: parameters)]
                if let word { bytes += [4, at(word, in: words)] } else { bytes += [2, 0] }
            }
            return bytes
        }
        let make = ask("CreateDisk", ("ZoneId", "us-east-1a"), ("Size", "20"), ("DiskCategory", "cloud_essd"))
        let life =
            make + ask("CreateSnapshot", ("DiskId", nil), ("SnapshotName", "abc")) + ask("DescribeSnapshots")
            + ask("TagResources", ("ResourceType", "disk"), ("ResourceId.1", nil), ("Tag.1.Key", "abc"))
            + ask("DescribeDisks", ("Format", "XML")) + ask("DeleteDisk", ("DiskId", nil))
        return [life] + names.map { ask($0, ("SnapshotId", nil), ("DiskId", nil)) }
    }
}

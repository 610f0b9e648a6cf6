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

    private static let vocabulary = QueryWords(
        names: names, parameters: parameters, words: words, nobody: "d-00000000000000000000")

    private static func next(_ input: inout FuzzInput, _ ids: [String]) -> String {
        if input.choice(16) == 15 { return input.text() }
        return "Action=\(input.pick(names))" + vocabulary.pairs(&input, ids)
    }

    static func seeds() -> [[UInt8]] {
        let make = vocabulary.ask(
            "CreateDisk", ("ZoneId", "us-east-1a"), ("Size", "20"), ("DiskCategory", "cloud_essd"))
        let life =
            make + vocabulary.ask("CreateSnapshot", ("DiskId", nil), ("SnapshotName", "abc"))
            + vocabulary.ask("DescribeSnapshots")
            + vocabulary.ask("TagResources", ("ResourceType", "disk"), ("ResourceId.1", nil), ("Tag.1.Key", "abc"))
            + vocabulary.ask("DescribeDisks", ("Format", "XML")) + vocabulary.ask("DeleteDisk", ("DiskId", nil))
        return [life] + names.map { vocabulary.ask($0, ("SnapshotId", nil), ("DiskId", nil)) }
    }
}

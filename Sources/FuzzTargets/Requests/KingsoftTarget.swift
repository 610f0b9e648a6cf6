internal import ControlPlane
internal import FoundationEssentials
@testable internal import KingsoftDialect

extension FuzzTarget {
    static let kingsoft = FuzzTarget("kingsoft", bytesMax: 1024, seeds: KingsoftTarget.seeds, KingsoftTarget.run)
}

/// Requests at Kingsoft's door: up to eight in a row against a real house, of known actions and parameters or of any text, in a
/// query, a form or JSON; ids are those that answers gave. Nothing a client sends is the server's fault: no answer has status 500,
/// and each that is said to be JSON is.
enum KingsoftTarget {
    static func run(_ bytes: [UInt8]) throws { try Tenancy.waiting { try await talk(bytes) } }

    private static func talk(_ bytes: [UInt8]) async throws {
        let kingsoft = KingsoftDialect(try await Tenancy.shared.enter()) { "id" }
        var input = FuzzInput(bytes)
        var ids: [String] = []
        for _ in 0..<8 where !input.isEmpty {
            let request = next(&input, ids)
            let answer = await kingsoft.answer(request, for: .root)
            try demand(
                [200, 400, 403, 404, 413].contains(answer.status),
                "\(request.query) has status \(answer.status): \(answer.body) \(answer.logged ?? "")")
            if answer.isJSON {
                try demand(JSONTree(Array(answer.body.utf8)) != nil, "an answer is JSON: \(answer.body)")
            } else {
                try demand(answer.body.hasPrefix("<?xml"), "an answer is XML: \(answer.body)")
            }
            for key in ["VolumeId\":\"", "SnapshotId\":\"", "InstanceId\":\"", "PolicyId\":\"", "ImageId\":\""] {
                ids += answer.body.split(separator: key).dropFirst().prefix(2).map { String($0.prefix { $0 != "\"" }) }
            }
        }
    }

    // MARK: Making requests

    private static let keys = KingsoftDialect.actions.keys.sorted()
    private static let parameters = [
        "VolumeId", "VolumeId.1", "SnapshotId", "InstanceId", "InstanceId.0", "ImageId", "AutoSnapshotPolicyId",
        "AttachVolumeId.1", "SnapshotIds.1", "AvailabilityZone", "Size", "VolumeType", "ProvisionedIops", "DryRun",
        "MaxResults", "Marker", "PageNumber", "PageSize", "Tag.1.Key", "Tag[0].Value", "Filter.1.Name",
        "Filter.1.Value.1", "Name", "AutoSnapshotPolicyName", "AutoSnapshotTime", "AutoSnapshotDate.1", "RetentionTime",
        "ForceDelete", "VolumeName", "SnapshotName", "DataDisk.1.Size", "VolumeCreateDate", "VolumeDesc", "ChargeType",
        "PurchaseTime", "ProjectId", "BillType", "SnapshotType", "ResourceType", "ReplaceTags.1.ResourceUuids",
        "Tag_1_Key", "DestinationRegion.1",
    ]
    private static let words = [
        "us-east-1a", "SSD3.0", "ESSD_AutoPL", "10", "40", "true", "data", "name", "2026-11-21", "instance-id", "3",
        "7", "", "Monthly", "87", "LocalSnapShot", "volume",
    ]

    private static let vocabulary = QueryWords(
        names: keys.map(\.name), parameters: parameters, words: words, nobody: "00000000-0000-4000-8000-000000000000")

    private static func next(_ input: inout FuzzInput, _ ids: [String]) -> KingsoftRequest {
        let key = input.pick(keys), accept = input.choice(4) == 0 ? nil : "application/json"
        if input.choice(16) == 15 { return KingsoftRequest(key.service, query: input.text(), accept: accept) }
        if input.choice(16) == 15 {
            return KingsoftRequest(key.service, query: "", body: Array("{\(input.text())".utf8), accept: accept)
        }
        let text = "Action=\(key.name)&Version=\(key.service.version)" + vocabulary.pairs(&input, ids)
        let isForm = input.choice(2) == 1
        return KingsoftRequest(
            key.service, query: isForm ? "" : text, body: isForm ? Array(text.utf8) : [], accept: accept)
    }

    static func seeds() -> [[UInt8]] {
        func ask(_ name: String, _ pairs: (String, String?)...) -> [UInt8] {
            [QueryWords.place(of: name, in: keys.map(\.name)), 1, 0, 0] + vocabulary.bytes(pairs) + [0]
        }
        let make = ask("CreateVolume", ("AvailabilityZone", "us-east-1a"), ("Size", "10"), ("VolumeType", "SSD3.0"))
        let life =
            make + ask("CreateSnapshot", ("VolumeId", nil)) + ask("DescribeSnapshots", ("VolumeId", nil))
            + ask("DescribeVolumes", ("VolumeId.1", nil))
            + ask("DeleteVolume", ("VolumeId", nil), ("ForceDelete", "true"))
        let policy =
            make
            + ask(
                "CreateAutoSnapshotPolicy", ("AutoSnapshotPolicyName", "name"), ("AutoSnapshotTime", "3"),
                ("AutoSnapshotDate.1", "7"))
            + ask("ApplyAutoSnapshotPolicy", ("AutoSnapshotPolicyId", nil), ("AttachVolumeId.1", nil))
        return [life, policy]
            + keys.map { ask($0.name, ("SnapshotId", nil), ("VolumeId", nil), ("InstanceId", nil), ("ImageId", nil)) }
    }
}

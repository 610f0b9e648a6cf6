internal import ControlPlane
@testable internal import EC2Dialect

extension FuzzTarget {
    static let ec2 = FuzzTarget("ec2-query", bytesMax: 1024, seeds: EC2Target.seeds, EC2Target.run)
}

/// Requests of Amazon's query protocol: up to eight in a row against a real house, of known actions and parameters or of any
/// text; ids are those that answers gave. Nothing a client sends is the server's fault: no answer has status 500, and each is XML.
enum EC2Target {
    private static let version = "2016-11-15"

    static func run(_ bytes: [UInt8]) throws { try Tenancy.waiting { try await talk(bytes) } }

    private static func talk(_ bytes: [UInt8]) async throws {
        let ec2 = EC2Dialect(try await Tenancy.shared.enter()) { "id" }
        var input = FuzzInput(bytes)
        var ids: [String] = []
        for _ in 0..<8 where !input.isEmpty {
            let query = next(&input, ids)
            let answer = await ec2.answer(EC2Request(sources: [query]), for: .root)
            try demand(
                [200, 400, 403, 412].contains(answer.status),
                "\(query) has status \(answer.status): \(answer.body) \(answer.logged ?? "")")
            try demand(isBalanced(answer.body), "an answer is XML: \(answer.body)")
            for tag in ["<volumeId>", "<snapshotId>"] {
                for part in answer.body.split(separator: tag).dropFirst().prefix(2) {
                    ids.append(String(part.prefix { $0 != "<" }))
                }
            }
        }
    }

    /// Does every element that begins also end, in order, with nothing that looks like one in its text?
    private static func isBalanced(_ xml: String) -> Bool {
        var open: [Substring] = []
        for part in xml.split(separator: "<", omittingEmptySubsequences: true) {
            guard let end = part.firstIndex(of: ">") else { return false }
            let tag = part[..<end]
            if tag.hasPrefix("?") { continue }
            if tag.hasPrefix("/") {
                guard open.popLast() == tag.dropFirst() else { return false }
            } else if !tag.hasSuffix("/") {
                open.append(tag.prefix { $0 != " " })
            }
        }
        return open.isEmpty
    }

    // MARK: Making requests

    private static let names = EC2Dialect.actions.keys.sorted()
    private static let parameters = [
        "VolumeId", "VolumeId.1", "SnapshotId", "SnapshotId.1", "ResourceId.1", "AvailabilityZone", "Size",
        "VolumeType",
        "Iops", "Throughput", "Encrypted", "DryRun", "MaxResults", "NextToken", "Filter.1.Name", "Filter.1.Value.1",
        "Filter.1.Value.2", "Tag.1.Key", "Tag.1.Value", "TagSpecification.1.ResourceType",
        "TagSpecification.1.Tag.1.Key",
        "Attribute", "OperationType", "UserId.1", "UserGroup.1", "CreateVolumePermission.Add.1.UserId",
        "CreateVolumePermission.Remove.1.Group", "State", "Owner.1", "RestorableBy.1", "Description", "ZoneName.1",
    ]
    private static let words = [
        "us-east-1a", "gp3", "io1", "true", "volume", "snapshot", "tag:k", "status", "size", "volume-id", "*", "?*\\",
        "createVolumePermission", "add", "remove", "all", "123456789012", "block-all-sharing", "self", "k", "1", "5",
        "",
    ]

    private static let vocabulary = QueryWords(
        names: names, parameters: parameters, words: words, nobody: "vol-0123456789abcdef0")

    private static func next(_ input: inout FuzzInput, _ ids: [String]) -> String {
        if input.choice(16) == 15 { return input.text() }
        return "Action=\(input.pick(names))&Version=\(version)" + vocabulary.pairs(&input, ids)
    }

    static func seeds() -> [[UInt8]] {
        let make = vocabulary.ask(
            "CreateVolume", ("AvailabilityZone", "us-east-1a"), ("Size", "1"), ("VolumeType", "gp3"))
        let life =
            make + vocabulary.ask("CreateSnapshot", ("VolumeId", nil)) + vocabulary.ask("DescribeSnapshots")
            + vocabulary.ask("CreateTags", ("ResourceId.1", nil), ("Tag.1.Key", "k"), ("Tag.1.Value", "1"))
            + vocabulary.ask("DescribeVolumes", ("Filter.1.Name", "tag:k"), ("Filter.1.Value.1", "?*\\"))
            + vocabulary.ask("DeleteVolume", ("VolumeId", nil))
        let pages =
            make + vocabulary.ask("DescribeVolumes", ("MaxResults", "5"))
            + vocabulary.ask("DescribeTags", ("MaxResults", "5"))
        var raw = SeedBuilder(15)
        raw.add(text: "Action=DescribeVolumes&Version=2016-11-15&Filter.1.Name=%00&a.b.c.d.e.f.g.h.i.j.k.l.m=%FF&%zz")
        return [life, pages, raw.bytes] + names.map { vocabulary.ask($0, ("SnapshotId", nil), ("VolumeId", nil)) }
    }
}

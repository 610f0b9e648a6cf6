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

    private static func next(_ input: inout FuzzInput, _ ids: [String]) -> String {
        if input.choice(16) == 15 { return input.text() }
        var query = "Action=\(input.pick(names))&Version=\(version)"
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
        case 2, 3: return ids.isEmpty ? "vol-0123456789abcdef0" : input.pick(ids)
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
        let make = ask("CreateVolume", ("AvailabilityZone", "us-east-1a"), ("Size", "1"), ("VolumeType", "gp3"))
        let life =
            make + ask("CreateSnapshot", ("VolumeId", nil)) + ask("DescribeSnapshots")
            + ask("CreateTags", ("ResourceId.1", nil), ("Tag.1.Key", "k"), ("Tag.1.Value", "1"))
            + ask("DescribeVolumes", ("Filter.1.Name", "tag:k"), ("Filter.1.Value.1", "?*\\"))
            + ask("DeleteVolume", ("VolumeId", nil))
        let pages = make + ask("DescribeVolumes", ("MaxResults", "5")) + ask("DescribeTags", ("MaxResults", "5"))
        var raw = SeedBuilder(15)
        raw.add(text: "Action=DescribeVolumes&Version=2016-11-15&Filter.1.Name=%00&a.b.c.d.e.f.g.h.i.j.k.l.m=%FF&%zz")
        return [life, pages, raw.bytes] + names.map { ask($0, ("SnapshotId", nil), ("VolumeId", nil)) }
    }
}

internal import ControlPlane
@testable internal import EC2Dialect

extension FuzzTarget {
    static let rules = FuzzTarget("rules", bytesMax: 1024, seeds: RuleTarget.seeds, RuleTarget.run)
}

/// Requests of the Recycle Bin and of Data Lifecycle Manager: up to eight in a row against a real house, with known paths and
/// members, nested as they please, or any text; ids are those that answers gave. Nothing a client sends is the server's fault: no
/// answer has status 500, and each that has a body is JSON.
enum RuleTarget {
    static func run(_ bytes: [UInt8]) throws { try Tenancy.waiting { try await talk(bytes) } }

    private static func talk(_ bytes: [UInt8]) async throws {
        let house = try await Tenancy.shared.enter()
        let (bin, dlm) = (BinDialect(house), DLMDialect(house))
        var input = FuzzInput(bytes)
        var ids: [String] = []
        for _ in 0..<8 where !input.isEmpty {
            let isBin = input.choice(2) == 0
            let request = next(&input, isBin, ids)
            let answer = isBin ? await bin.answer(request, for: .root) : await dlm.answer(request, for: .root)
            try demand(
                [200, 201, 204, 400, 402, 403, 404, 409, 429].contains(answer.status),
                "\(request.method) \(request.path) has status \(answer.status): \(answer.logged ?? "")")
            try demand(
                answer.body.isEmpty || answer.body.first == UInt8(ascii: "{"),
                "an answer is JSON: \(request.method) \(request.path)")
            let text = String(decoding: answer.body, as: UTF8.self)
            for key in ["\"Identifier\":\"", "\"PolicyId\":\"", "\"RuleArn\":\"", "\"PolicyArn\":\""] {
                ids += text.split(separator: key).dropFirst().prefix(2).map { String($0.prefix { $0 != "\"" }) }
            }
        }
    }

    // MARK: Making requests

    private static let binMembers = [
        "ResourceType", "RetentionPeriod", "RetentionPeriodValue", "RetentionPeriodUnit", "Description", "Tags",
        "ResourceTags",
        "ResourceTagKey", "ResourceTagValue", "ExcludeResourceTags", "LockConfiguration", "UnlockDelay",
        "UnlockDelayValue",
        "UnlockDelayUnit", "MaxResults", "NextToken", "LockState", "Key", "Value",
    ]
    private static let policyMembers = [
        "ExecutionRoleArn", "Description", "State", "Tags", "PolicyDetails", "PolicyType", "ResourceTypes",
        "TargetTags", "Schedules",
        "Name", "CopyTags", "CreateRule", "Interval", "IntervalUnit", "Times", "CronExpression", "RetainRule", "Count",
        "CrossRegionCopyRules", "Target", "Encrypted", "Parameters", "ExcludeBootVolume", "ExcludeDataVolumeTags",
        "Key", "Value", "DefaultPolicy", "CreateInterval", "RetainInterval", "ExtendDeletion", "CrossRegionCopyTargets",
        "TargetRegion", "Exclusions", "ExcludeBootVolumes", "ExcludeVolumeTypes", "ExcludeTags", "ShareRules",
        "TargetAccounts", "UnshareInterval", "UnshareIntervalUnit", "FastRestoreRule", "AvailabilityZones",
        "ArchiveRule", "RetentionArchiveTier", "DeprecateRule", "VariableTags", "EventSource", "Type", "EventType",
        "SnapshotOwner", "DescriptionRegex", "Actions", "CrossRegionCopy", "EncryptionConfiguration", "NoReboot",
    ]
    private static let values = [
        "1", "0", "-1", "24", "1000", "9223372036854775807", "1e400", "true", "null", "\"EBS_SNAPSHOT\"", "\"DAYS\"",
        "\"VOLUME\"",
        "\"ENABLED\"", "\"HOURS\"", "\"23:59\"", "\"cron(0 3 L * ? *)\"", "\"cron(*/5 1-3,7 ? * MON#5 2027)\"",
        "\"us-west-2\"",
        "\"arn:aws:iam::123456789012:role/dlm\"", "[]", "{}", "\"INSTANCE\"", "\"IMAGE_MANAGEMENT\"",
        "\"EVENT_BASED_POLICY\"", "\"MANAGED_CWE\"", "\"shareSnapshot\"", "\"^(a|[b-d]+)*x{2,3}$\"",
        "\"$(instance-id)\"", "\"123456789012\"", "\"us-east-1a\"",
    ]

    private static func next(_ input: inout FuzzInput, _ isBin: Bool, _ ids: [String]) -> DirectRequest {
        let id = id(&input, ids)
        let paths =
            isBin
            ? ["/rules", "/list-rules", "/rules/\(id)", "/rules/\(id)/lock", "/rules/\(id)/unlock", "/tags/\(id)"]
            : ["/policies", "/policies/\(id)", "/tags/\(id)"]
        let method = input.pick(["POST", "GET", "PATCH", "DELETE"])
        let path = input.choice(8) == 7 ? input.text() : input.pick(paths)
        let queries = [
            "", "tagKeys=Key&tagKeys=\(id)", "policyIds=\(id)", "state=ENABLED&resourceTypes=VOLUME", input.text(),
        ]
        let body =
            input.choice(8) == 7 ? input.piece() : Array(object(&input, isBin ? binMembers : policyMembers, 4).utf8)
        return DirectRequest(method: method, path: path, query: input.pick(queries), body: body)
    }

    /// An object of known members, whose values are of any kind.
    private static func object(_ input: inout FuzzInput, _ members: [String], _ depth: Int) -> String {
        let pairs = (0..<input.choice(5)).map { _ in
            "\"\(input.pick(members))\":\(value(&input, members, depth))"
        }
        return "{\(pairs.joined(separator: ","))}"
    }

    private static func value(_ input: inout FuzzInput, _ members: [String], _ depth: Int) -> String {
        switch input.choice(8) {
        case 0,
            1 where depth > 0:
            return object(&input, members, depth - 1)
        case 2 where depth > 0:
            return "[\((0..<input.choice(3)).map { _ in value(&input, members, depth - 1) }.joined(separator: ","))]"
        case 3: return "\"\(input.text().filter { $0 != "\"" && $0 != "\\" && !$0.isNewline })\""
        default: return input.pick(values)
        }
    }

    private static func id(_ input: inout FuzzInput, _ ids: [String]) -> String {
        switch input.choice(8) {
        case 0: input.text()
        case 1: "policy-0123456789abcdef0"
        default: ids.isEmpty ? "NobodysRule" : input.pick(ids)
        }
    }

    static func seeds() -> [[UInt8]] {
        (0..<12).map { (start: UInt8) in (0..<200).map { $0 &* 37 &+ start &* 11 } }
    }
}

internal import ControlPlane

/// Which disks are asked for: all that is said must hold.
struct DiskFilter {
    private var ids: Set<String>?
    private var policy: String?
    private var isUnderPolicy: Bool?
    private var instance: String?
    private var tags: [(key: String, value: String?)]
    private var words: [(name: String, value: String)] = []

    init(_ parameters: ECSParameters) throws(ECSFailure) {
        policy = parameters["AutoSnapshotPolicyId"]
        isUnderPolicy = try parameters.flag("EnableAutomatedSnapshotPolicy")
        instance = parameters["InstanceId"]
        tags = try Tags.filter(parameters)
        let malformed = ECSFailure(400, "InvalidParameter.DiskIds", "The specified parameter diskIds is not valid.")
        if let names = try parameters.array("DiskIds", orElse: malformed) {
            guard names.count <= 100 else {
                throw ECSFailure(
                    403, "InvalidDiskIds.Malformed", "The amount of specified disk Ids exceeds the limit.")
            }
            ids = Set(names.compactMap { ECSID.native($0, .disk) })
        }
        let known: [(name: String, values: [String], failure: ECSFailure)] = [
            (
                "DiskType", ["all", "system", "data"],
                ECSFailure(400, "InvalidDiskType.ValueNotSupported", "The specified disk type is not supported.")
            ),
            (
                "Category", DiskCategory.names + ["all"],
                ECSFailure(400, "InvalidCategory.ValueNotSupported", "The specified disk category is not supported.")
            ),
            (
                "Status",
                ["In_use", "Available", "Attaching", "Detaching", "Creating", "ReIniting", "All"],
                ECSFailure(400, "InvalidStatus.ValueNotSupported", "The specified disk status is not supported.")
            ),
        ]
        for (name, values, failure) in known {
            guard let text = parameters[name] else { continue }
            guard values.contains(text) else { throw failure }
            if text.lowercased() != "all" { words.append((name, text)) }
        }
        for name in [
            "DiskName", "ZoneId", "PerformanceLevel", "SnapshotId", "DiskChargeType", "KMSKeyId", "MultiAttach",
        ] {
            if let text = parameters[name] { words.append((name, text)) }
        }
        for name in ["Encrypted", "Portable", "DeleteWithInstance", "DeleteAutoSnapshot", "EnableAutoSnapshot"] {
            if let flag = try parameters.flag(name) { words.append((name, flag ? "true" : "false")) }
        }
    }

    /// - Parameters:
    ///   - policies: that the disk is under.
    ///   - wishes: what its owner wants of it.
    func takes(_ volume: VolumeView, _ policies: [String], _ wishes: VolumeWishes) -> Bool {
        if let policy, !policies.contains(policy) { return false }
        if let instance, !volume.attachments.contains(where: { ECSID.name($0.host, .instance) == instance }) {
            return false
        }
        if let isUnderPolicy, policies.isEmpty == isUnderPolicy { return false }
        guard ids?.contains(volume.id) ?? true, Tags.match(volume.tags, tags) else { return false }
        return words.allSatisfy { Self.word($0.name, volume, wishes) == $0.value }
    }

    private static func word(_ name: String, _ volume: VolumeView, _ wishes: VolumeWishes) -> String {
        let category = DiskCategory(of: volume)
        return switch name {
        case "DiskType": DiskWords.type(volume)
        case "Category": category.name
        case "Status": DiskWords.status(volume)
        case "DiskName": volume.name ?? ""
        case "ZoneId": volume.zone
        case "PerformanceLevel": category.level ?? ""
        case "MultiAttach": volume.isShared ? "Enabled" : "Disabled"
        case "SnapshotId": volume.originSnapshotId.flatMap { ECSID.name($0, .snapshot) } ?? ""
        case "DiskChargeType": "PostPaid"
        case "KMSKeyId": volume.keyId ?? ""
        case "Encrypted": volume.encrypted ? "true" : "false"
        case "Portable": "true"
        case "DeleteAutoSnapshot": wishes.takesPolicySnapshots ? "true" : "false"
        case "EnableAutoSnapshot": wishes.skipsPolicies ? "false" : "true"
        default: DiskWords.goes(volume, wishes) ? "true" : "false"
        }
    }
}

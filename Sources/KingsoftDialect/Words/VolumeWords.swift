internal import Blocks
internal import ControlPlane

/// What the words for volumes need to know of other things, asked once for all volumes of an answer.
struct VolumeSurroundings: Sendable {
    /// Volumes that an instance starts from.
    private(set) var systemDisks: Set<String> = []
    private(set) var policyOf: [String: String] = [:]

    init(_ call: KingsoftCall) async throws {
        for instance in try await call.verbs.instances.list() where instance.state != .terminated {
            for disk in instance.disks where disk.device == instance.rootDevice { systemDisks.insert(disk.volumeId) }
        }
        for policy in try await call.verbs.policies.outlines() {
            // One that this cloud has no words for is shown nowhere.
            guard let plan = policy.plan, PolicyWords(plan) != nil, plan.targets.kind == .volumes,
                let uuid = KingsoftID.uuid(policy.id, .policy)
            else { continue }
            for id in plan.targets.ids { policyOf[id] = uuid }
        }
    }

    func category(_ volume: String) -> String { systemDisks.contains(volume) ? "system" : "data" }
}

/// Volumes in Kingsoft's words.
enum VolumeWords {
    static let states = [
        "creating", "available", "attaching", "in-use", "inuse", "detaching", "extending", "deleting", "error",
        "recycling", "type_changing", "rollbacking",
    ]

    static func state(_ state: VolumeView.State) -> String {
        switch state {
        case .creating: "creating"
        case .available: "available"
        case .inUse: "in-use"
        case .deleting: "deleting"
        case .error, .quarantined: "error"
        }
    }

    /// A volume as lists have it; nil for one that has no name in this cloud.
    ///
    /// A detached one has neither instance nor attachment: clients take an empty one for something else.
    static func fields(
        _ volume: VolumeView, isBinned: Bool = false, _ around: VolumeSurroundings
    ) -> KingsoftFields? {
        guard let id = KingsoftID.uuid(volume.id, .volume) else { return nil }
        let terms = Terms(volume.keepsakes)
        return .with { fields in
            fields.add("VolumeId", id)
            fields.add("VolumeName", name(of: volume))
            fields.add("VolumeDesc", volume.description ?? "")
            fields.add("Size", VolumeTypes.gibibytes(volume.sizeBytes))
            fields.add("VolumeStatus", isBinned ? "recycling" : state(volume.state))
            fields.add("VolumeType", VolumeTypes.type(of: volume))
            fields.add("VolumeCategory", around.category(volume.id))
            fields.add("AvailabilityZone", volume.zone)
            fields.add("ChargeType", terms.type)
            fields.add("InstanceTradeType", 1)
            fields.add("CreateTime", KingsoftTime.text(volume.createdAt))
            fields.add("ExpireTime", terms.expiry(of: volume.createdAt))
            fields.add("ProjectId", terms.project)
            if let attachment = volume.attachment { write(attachment, of: id, into: &fields) }
            fields.add("Tags", tags(volume.tags))
            fields.add("AutoSnapshotPolicyId", around.policyOf[volume.id])
            fields.add("SourceSnapshotId", volume.originSnapshotId.flatMap { KingsoftID.uuid($0, .snapshot) })
        }
    }

    private static func write(_ attachment: AttachmentView, of id: String, into fields: inout KingsoftFields) {
        let instance = KingsoftID.uuid(attachment.host, .instance) ?? attachment.host
        fields.add("InstanceId", instance)
        fields.add("DeleteWithInstance", attachment.goesWithInstance)
        fields.add(
            "Attachment",
            [
                .with { one in
                    one.add("InstanceId", instance)
                    one.add("VolumeId", id)
                    one.add("MountPoint", mountPoint(attachment.device))
                    one.add("DeleteWithInstance", attachment.goesWithInstance)
                }
            ])
    }

    /// Its own, or one made of its id.
    static func name(of volume: VolumeView) -> String {
        volume.name ?? "volume-" + (KingsoftID.uuid(volume.id, .volume) ?? "").prefix(8)
    }

    static func tags(_ tags: [String: String]?) -> [KingsoftFields] {
        (tags ?? [:]).sorted { $0.key < $1.key }.map { tag in
            .with { fields in
                fields.add("TagKey", tag.key)
                fields.add("TagValue", tag.value)
            }
        }
    }

    /// `/dev/vdb` for what the control plane calls `/dev/sdb` or `/dev/xvdb`.
    static func mountPoint(_ device: String?) -> String {
        guard var name = device?.split(separator: "/").last else { return "/dev/vdb" }
        for prefix in ["xvd", "sd"] where name.hasPrefix(prefix) { name = name.dropFirst(prefix.count) }
        return "/dev/vd" + name.prefix { $0.isLetter }
    }
}

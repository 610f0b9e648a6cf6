internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let attachmentActions = [
        EC2Action(
            "AttachVolume", isChange: true, lacks: "I/O fencing (NVMe reservations) of Multi-Attach", attachVolume),
        EC2Action("DetachVolume", isChange: true, detachVolume),
    ]

    private static let attachVolume: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let id = try EC2Identifier.volume(call)
        let instanceID = try instanceID(call)
        guard let device = call.parameters["Device"], !device.isEmpty else { throw EC2Failure.missing("device") }
        let volume = try await volume(id, call), instance = try await instance(instanceID, call)
        guard volume.isShared || volume.attachment == nil else {
            throw EC2Failure("VolumeInUse", "\(id) is already attached to an instance")
        }
        guard volume.state == .available || volume.state == .inUse else {
            throw EC2Failure("IncorrectState", "\(id) is not 'available'.")
        }
        guard volume.zone == instance.zone else {
            throw EC2Failure(
                "InvalidVolume.ZoneMismatch",
                "The volume '\(id)' is not in the same availability zone as instance '\(instanceID)'")
        }
        guard instance.state != .terminated else {
            throw EC2Failure("IncorrectState", "Instance '\(instanceID)' is not 'running' or 'stopped'.")
        }
        do {
            let disk = try await call.verbs.instances.attach(id, to: instanceID, as: device)
            return .elements { write(disk, on: instanceID, "attaching", into: &$0) }
        } catch let error as ServiceError {
            switch (error.code, error.noun) {
            case (.invalid, .attachment):
                throw EC2Failure.invalidValue(
                    "Value (\(device)) for parameter device is invalid. \(device) is not a valid EBS device name.")
            case (.inUse, .attachment):
                throw EC2Failure.invalidValue(
                    "Invalid value '\(device)' for unixDevice. Attachment point \(device) is already in use")
            case (.inUse, .volume): throw EC2Failure("VolumeInUse", "\(id) is already attached to an instance")
            case (.limitExceeded, _):
                throw EC2Failure("AttachmentLimitExceeded", "Volume attachment limit exceeded for \(instanceID)")
            default: throw error
            }
        }
    }

    private static let detachVolume: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let id = try EC2Identifier.volume(call)
        let instanceID = try call.parameters.has("InstanceId") ? instanceID(call) : nil
        let device = call.parameters["Device"].flatMap { $0.isEmpty ? nil : $0 }
        let volume = try await volume(id, call)
        if let instanceID { _ = try await instance(instanceID, call) }
        guard let attachment = volume.attachments.first(where: { $0.host == instanceID }) ?? volume.attachment else {
            throw EC2Failure("IncorrectState", "Volume '\(id)'is in the 'available' state.")
        }
        guard instanceID != nil || volume.attachments.count == 1 else { throw EC2Failure.missing("instanceId") }
        try await refuseRoot(attachment, of: volume, instanceID, call)
        do {
            try await call.verbs.instances.detach(id, from: instanceID, as: device)
        } catch let error as ServiceError {
            guard error.code == .missing || error.code == .invalid else { throw error }
            throw EC2Failure(
                "InvalidAttachment.NotFound",
                "The volume '\(id)' is not attached to instance '\(instanceID ?? attachment.host)'"
                    + (device.map { " as device '\($0)'" } ?? "") + ".")
        }
        return .elements { writer in
            writer.add("volumeId", id)
            writer.add("instanceId", attachment.host)
            writer.add("device", attachment.device ?? "")
            writer.add("status", "detaching")
            writer.add("attachTime", attachment.attachedAt.description)
        }
    }

    /// What a running instance started from stays.
    private static func refuseRoot(
        _ attachment: AttachmentView, of volume: VolumeView, _ named: String?, _ call: EC2Call
    ) async throws {
        guard named == nil || named == attachment.host else { return }
        let host = try await call.verbs.instances.list().first { $0.id == attachment.host }
        guard let host, host.state == .running, let root = host.rootDevice, root == attachment.device else { return }
        throw EC2Failure("IncorrectState", "Unable to detach root volume '\(volume.id)' from instance '\(host.id)'")
    }

    /// The one instance that some actions name.
    static func instanceID(_ call: EC2Call) throws(EC2Failure) -> String {
        guard let id = call.parameters["InstanceId"], !id.isEmpty else { throw .missing("instanceId") }
        try EC2Identifier.checkInstance(id)
        return id
    }

    private static func write(
        _ disk: InstanceView.Disk, on instance: String, _ status: String, into writer: inout XMLWriter
    ) {
        writer.add("volumeId", disk.volumeId)
        writer.add("instanceId", instance)
        writer.add("device", disk.device)
        writer.add("status", status)
        writer.add("attachTime", disk.attachedAt.description)
    }
}

internal import Blocks
internal import ControlPlane

/// Instances in Amazon's words.
enum InstanceWords {
    /// A state's code and name.
    struct State {
        let code: Int
        let name: String

        static let pending = State(code: 0, name: "pending")
        static let running = State(code: 16, name: "running")
        static let shuttingDown = State(code: 32, name: "shutting-down")
        static let terminated = State(code: 48, name: "terminated")
        static let stopping = State(code: 64, name: "stopping")
        static let stopped = State(code: 80, name: "stopped")

        init(code: Int, name: String) {
            self.code = code
            self.name = name
        }
        init(_ state: InstanceView.State) {
            self =
                switch state {
                case .running: .running
                case .stopped: .stopped
                case .terminated: .terminated
                }
        }
    }

    /// An item of `instancesSet`.
    static func write(
        _ instance: InstanceView, _ state: State, index: Int, _ call: EC2Call, isDescribed: Bool,
        into writer: inout XMLWriter
    ) {
        writer.add("instanceId", instance.id)
        writer.add("imageId", instance.imageId ?? "")
        writer.add("instanceState") { Self.write(state, into: &$0) }
        for name in ["privateDnsName", "dnsName", "reason"] { writer.add(name, "") }
        writer.add("amiLaunchIndex", index)
        writer.list("productCodes", [String]()) { $0.add("productCode", $1) }
        writer.add("instanceType", instance.kind)
        writer.add("launchTime", instance.launchedAt.description)
        writer.add("placement") { writer in
            writer.add("availabilityZone", instance.zone)
            writer.add("groupName", "")
            writer.add("tenancy", "default")
        }
        writer.add("monitoring") { $0.add("state", "disabled") }
        writer.list("groupSet", [String]()) { $0.add("groupId", $1) }
        writer.add("architecture", "x86_64")
        writer.add("rootDeviceType", "ebs")
        writer.add("rootDeviceName", instance.rootDevice ?? usualRootDevice)
        write(disks: instance, into: &writer)
        writer.add("virtualizationType", "hvm")
        writer.add("clientToken", "")
        writer.add(tags: instance.tags, evenIfEmpty: !isDescribed)
        writer.add("hypervisor", "xen")
    }

    /// What an instance without a root disk is said to start from.
    static let usualRootDevice = "/dev/sda1"

    static func write(disks instance: InstanceView, into writer: inout XMLWriter) {
        writer.list("blockDeviceMapping", instance.disks) { writer, disk in
            writer.add("deviceName", disk.device)
            writer.add("ebs") { writer in
                writer.add("volumeId", disk.volumeId)
                writer.add("status", "attached")
                writer.add("attachTime", disk.attachedAt.description)
                writer.add("deleteOnTermination", disk.goesWithInstance)
            }
        }
    }

    static func write(_ state: State, into writer: inout XMLWriter) {
        writer.add("code", state.code)
        writer.add("name", state.name)
    }

    /// What a filter of DescribeInstances compares with.
    static func values(of filter: String, _ instance: InstanceView) -> [String] {
        switch filter {
        case "availability-zone": [instance.zone]
        case "block-device-mapping.delete-on-termination": instance.disks.map { String($0.goesWithInstance) }
        case "block-device-mapping.device-name": instance.disks.map(\.device)
        case "block-device-mapping.status": instance.disks.isEmpty ? [] : ["attached"]
        case "block-device-mapping.volume-id": instance.disks.map(\.volumeId)
        case "image-id": instance.imageId.map { [$0] } ?? []
        case "instance-id": [instance.id]
        case "instance-state-code": [String(State(instance.state).code)]
        case "instance-state-name": [State(instance.state).name]
        case "instance-type": [instance.kind]
        case "owner-id": [instance.ownerId]
        case "reservation-id": [instance.launchId]
        default: []
        }
    }

    static let filters: Set<String> = [
        "availability-zone", "block-device-mapping.delete-on-termination", "block-device-mapping.device-name",
        "block-device-mapping.status", "block-device-mapping.volume-id", "image-id", "instance-id",
        "instance-state-code", "instance-state-name", "instance-type", "owner-id", "reservation-id", "tag:", "tag-key",
        "tag-value",
    ]
}

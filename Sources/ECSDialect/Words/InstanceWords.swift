internal import Blocks
internal import ControlPlane

/// Instances in Alibaba's words.
enum InstanceWords {
    static func status(_ instance: InstanceView) -> String {
        switch instance.state {
        case .running: "Running"
        case .stopped, .terminated: "Stopped"
        }
    }

    /// It has no name of its own here: the tag `Name` is it, as other clouds have it.
    static func name(_ instance: InstanceView) -> String {
        instance.tags?["Name"] ?? ECSID.name(instance.id, .instance) ?? instance.id
    }

    /// An item of `Instances.Instance`.
    ///
    /// - Parameter group: the resource group that it is in.
    static func write(_ instance: InstanceView, in group: String, _ call: ECSCall) -> ECSValue {
        var fields = ECSFields()
        fields.add("InstanceId", ECSID.name(instance.id, .instance) ?? instance.id)
        fields.add("InstanceName", name(instance))
        fields.add("Description", "")
        fields.add("Status", status(instance))
        fields.add("RegionId", call.region.name)
        fields.add("ZoneId", instance.zone)
        fields.add("ImageId", instance.imageId.map { ECSID.name($0, .image) ?? $0 } ?? "")
        fields.add("InstanceType", instance.kind)
        fields.add("Cpu", 2)
        fields.add("Memory", 4096)
        fields.add("HostName", name(instance))
        fields.add("OSType", "linux")
        fields.add("OSName", "")
        fields.add("CreationTime", instance.launchedAt.ecs)
        fields.add("StartTime", instance.changedAt.ecs)
        fields.add("ExpiredTime", "2999-09-08T16:00Z")
        fields.add("InstanceChargeType", "PostPaid")
        fields.add("InternetChargeType", "PayByTraffic")
        fields.add("InternetMaxBandwidthIn", 0)
        fields.add("InternetMaxBandwidthOut", 0)
        fields.add("InstanceNetworkType", "vpc")
        fields.add("ResourceGroupId", group)
        fields.add("SerialNumber", "")
        fields.add("StoppedMode", instance.state == .stopped ? "KeepCharging" : "Not-applicable")
        fields.add("OperationLocks", listOf: "LockReason", [])
        fields.add("SecurityGroupIds", listOf: "SecurityGroupId", [])
        fields.add("PublicIpAddress", listOf: "IpAddress", [])
        fields.add("InnerIpAddress", listOf: "IpAddress", [])
        fields.add(
            "VpcAttributes",
            ECSFields.of {
                $0.add("VpcId", "")
                $0.add("VSwitchId", "")
                $0.add("NatIpAddress", "")
                $0.add("PrivateIpAddress", listOf: "IpAddress", [])
            }.value)
        fields.add(
            "EipAddress",
            ECSFields.of {
                $0.add("AllocationId", "")
                $0.add("IpAddress", "")
                $0.add("InternetChargeType", "")
                $0.add("Bandwidth", 0)
            }.value)
        Tags.write(instance.tags, into: &fields)
        return fields.value
    }
}

/// `web*`: a star stands for any characters.
enum Wildcard {
    static func matches(_ pattern: String, _ text: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count > 1, let first = parts.first, let last = parts.last else { return pattern == text }
        guard text.hasPrefix(first), text.count >= first.count + last.count, text.hasSuffix(last) else { return false }
        var rest = text.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}

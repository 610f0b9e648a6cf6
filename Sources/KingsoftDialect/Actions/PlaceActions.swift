internal import ControlPlane

extension KingsoftDialect {
    static let placeActions: [KingsoftAction] = [
        .look(.ebs, "DescribeAvailabilityZones", knows: ["VolumeType"]) { call in
            _ = try VolumeTypes.kind("VolumeType", call)
            return .with { $0.add("AvailabilityZones", .texts(call.region.zones.map(\.name))) }
        },
        .look(.kec, "DescribeAvailabilityZones", knows: []) { call in
            .with { fields in
                fields.add(
                    "AvailabilityZoneSet",
                    call.region.zones.map { zone in
                        .with { $0.add("AvailabilityZone", zone.name) }
                    })
            }
        },
    ]
}

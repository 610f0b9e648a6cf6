internal import ControlPlane

extension ECSDialect {
    static let placeActions = [
        ECSAction("DescribeRegions", isChange: false, describeRegions),
        ECSAction("DescribeZones", isChange: false, lacks: "what is about networks", describeZones),
        ECSAction("OpenSnapshotService", isChange: true) { _ in ECSFields() },
    ]

    private static let describeRegions: @Sendable (ECSCall) async throws -> ECSFields = { call in
        .of { fields in
            fields.add(
                "Regions", listOf: "Region",
                call.regions.map { region in
                    ECSFields.of {
                        $0.add("RegionId", region.name)
                        $0.add("LocalName", region.name)
                        $0.add("RegionEndpoint", "ecs.\(region.name).aliyuncs.com")
                        $0.add("Status", "available")
                    }.value
                })
        }
    }

    private static let describeZones: @Sendable (ECSCall) async throws -> ECSFields = { call in
        .of { fields in
            fields.add(
                "Zones", listOf: "Zone",
                call.region.zones.map { zone in
                    ECSFields.of {
                        $0.add("ZoneId", zone.name)
                        $0.add("LocalName", zone.name)
                        $0.add(
                            "AvailableDiskCategories", listOf: "DiskCategories", DiskCategory.names.map { .text($0) })
                        $0.add("AvailableInstanceTypes", listOf: "InstanceTypes", [.text("ecs.g7.large")])
                        $0.add(
                            "AvailableResourceCreation", listOf: "ResourceTypes", [.text("Instance"), .text("Disk")])
                    }.value
                })
        }
    }
}

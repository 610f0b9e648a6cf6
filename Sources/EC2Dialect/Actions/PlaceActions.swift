internal import ControlPlane

extension EC2Dialect {
    static let placeActions = [
        EC2Action("DescribeRegions", isChange: false) { call in
            try call.dryRun()
            let filters = try Filters(call.parameters, known: ["endpoint", "opt-in-status", "region-name"])
            let names = call.parameters.list("RegionName")
            let all = call.regions.map(\.name)
            if let unknown = names.first(where: { !all.contains($0) }) {
                throw EC2Failure.invalidValue("Invalid region names: \(unknown)")
            }
            let endpoint: @Sendable (String) -> String = { "ec2.\($0).amazonaws.com" }
            let wanted = try all.filter { names.isEmpty || names.contains($0) }.filter { region in
                try filters.match(tags: []) { name in
                    switch name {
                    case "region-name": [region]
                    case "endpoint": [endpoint(region)]
                    case "opt-in-status": ["opt-in-not-required"]
                    default: []
                    }
                }
            }
            return .elements { writer in
                writer.list("regionInfo", wanted) { writer, name in
                    writer.add("regionName", name)
                    writer.add("regionEndpoint", endpoint(name))
                    writer.add("optInStatus", "opt-in-not-required")
                }
            }
        },
        EC2Action("DescribeAvailabilityZones", isChange: false, describeZones),
        EC2Action("DescribeAccountAttributes", isChange: false) { call in
            try call.dryRun()
            let all = [("supported-platforms", "VPC"), ("default-vpc", "none"), ("max-instances", "1000")]
            let names = call.parameters.list("AttributeName")
            return .elements { writer in
                writer.list("accountAttributeSet", all.filter { names.isEmpty || names.contains($0.0) }) {
                    writer, one in
                    writer.add("attributeName", one.0)
                    writer.list("attributeValueSet", [one.1]) { $0.add("attributeValue", $1) }
                }
            }
        },
    ]

    private static let describeZones: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let names = call.parameters.list("ZoneName"), ids = call.parameters.list("ZoneId")
        if !names.isEmpty, !ids.isEmpty {
            throw EC2Failure.combination("The parameter zoneIds cannot be used with the parameter zoneNames")
        }
        for asked in names + ids where call.region.zone(asked) == nil {
            throw EC2Failure.invalidValue("Invalid availability zone: [\(asked)]")
        }
        let filters = try Filters(
            call.parameters,
            known: [
                "group-name", "message", "opt-in-status", "parent-zone-id", "parent-zone-name", "region-name", "state",
                "zone-id", "zone-name", "zone-type",
            ])
        let group = "\(call.region.name)-zg-1"
        let zones = try call.region.zones.filter { zone in
            (names + ids).isEmpty || names.contains(zone.name) || ids.contains(zone.id)
        }.filter { zone in
            try filters.match(tags: []) { name in
                switch name {
                case "group-name": [group]
                case "opt-in-status": ["opt-in-not-required"]
                case "region-name": [call.region.name]
                case "state": ["available"]
                case "zone-id": [zone.id]
                case "zone-name": [zone.name]
                case "zone-type": ["availability-zone"]
                default: []
                }
            }
        }
        return .elements { writer in
            writer.list("availabilityZoneInfo", zones) { writer, zone in
                writer.add("zoneName", zone.name)
                writer.add("zoneState", "available")
                writer.add("regionName", call.region.name)
                writer.add("zoneId", zone.id)
                writer.add("groupName", group)
                writer.add("networkBorderGroup", call.region.name)
                writer.add("optInStatus", "opt-in-not-required")
                writer.add("zoneType", "availability-zone")
                writer.list("messageSet", [String]()) { $0.add("message", $1) }
            }
        }
    }
}

internal import Blocks

/// What can be measured of a house. Every family has its name by the conventions of Prometheus.
///
/// Nothing here asks the store: a scrape must not wait for one that is away.
public struct MetricsService: Sendable {
    let houses: [Household]
    init(_ houses: [Household]) { self.houses = houses }

    /// Everything at this moment. What cannot be told now is left out. Where there are several regions, what is one region's
    /// has its name in the label `region`; disks and the process are the server's.
    public func families() async -> [MetricFamily] {
        var all: [MetricFamily] = []
        for house in houses {
            for var family in await RegionMetrics(house: house).families() {
                if houses.count > 1 { family.label("region", house.region.name) }
                if let known = all.firstIndex(where: { $0.name == family.name }) {
                    all[known].samples += family.samples
                } else {
                    all.append(family)
                }
            }
        }
        // One board has the disks of all regions.
        if let board = houses.first?.exports { all += TrafficMetrics(board.traffic).families }
        return all + process()
    }

    private func process() -> [MetricFamily] {
        let facts = ProcessFacts.now()
        return [
            MetricFamily(
                "process_resident_memory_bytes", .gauge, "Memory in use.", Double(facts.residentMemory.bytes)),
            MetricFamily(
                "process_virtual_memory_bytes", .gauge, "Address space in use.", Double(facts.virtualMemory.bytes)),
            MetricFamily("process_open_fds", .gauge, "Open file descriptors.", Double(facts.openDescriptors)),
            MetricFamily("process_max_fds", .gauge, "Most file descriptors.", Double(facts.descriptorMax)),
            MetricFamily(
                "process_cpu_seconds_total", .counter, "Time that the process's threads ran.",
                facts.processorTime.inSeconds),
        ]
    }
}

extension MetricFamily {
    fileprivate mutating func label(_ name: String, _ value: String) {
        for index in samples.indices { samples[index].labels.append((name: name, value: value)) }
    }
}

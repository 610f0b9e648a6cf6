"""Which snapshots there are where many are measured: half of them of one volume, the rest spread over others."""


def volume_name(number):
    return f"vol-0{number:016x}"[:21]


def snapshot_name(number):
    return f"snap-0{number:016x}"[:22]


def snapshots(count, volumes):
    """Ids of snapshots and of their volumes; the first volume is the large one."""
    for number in range(count):
        yield snapshot_name(number), volume_name(0 if number % 2 else 1 + number % volumes)

# Becomes $VAGRANT_HOME/Vagrantfile: what the test's host needs and a person's does not. The project's own Vagrantfile comes after it.
Vagrant.configure("2") do |config|
  config.vm.boot_timeout = 900
  config.ssh.connect_timeout = 60
  config.vm.provider "libvirt" do |libvirt|
    # One processor: with two, each in a thread of its own, an emulated Linux 6.1 hangs once eBPF programs are attached to system calls.
    libvirt.cpus = 1
    if ENV["VAGRANT_ACCEL"] != "kvm"
      libvirt.driver = "qemu"
      libvirt.cpu_mode = "custom"
      libvirt.cpu_model = "Westmere" # libvirt knows no "max" by this name; this one has AES and can be emulated
    end
    # The disk is thrown away with the machine: its flushes need not reach the host's.
    libvirt.disk_driver cache: "unsafe"
    libvirt.graphics_type = "none"
    libvirt.default_prefix = "tenantrace-lab-"
    libvirt.storage_pool_name = "tenantrace-lab"
    libvirt.management_network_name = "tenantrace-lab"
    libvirt.management_network_address = "192.168.213.0/24"
    # Packets that the host can pass on whole.
    mtu = Dir["/sys/class/net/*/mtu"].map { |file| File.read(file).to_i }.select { |value| value >= 1280 }.min
    libvirt.management_network_mtu = [mtu, 1500].min if mtu
  end
end

namespace TorchSharp;

/// <summary>Where a tensor's data lives.</summary>
public enum DeviceType
{
    /// <summary>The host.</summary>
    CPU = 0,

    /// <summary>An NVIDIA GPU.</summary>
    CUDA = 1,

    /// <summary>Shapes without data.</summary>
    META = 14,
}

/// <summary>The functions and types of the torch library, under the names that TorchSharp gives them.</summary>
public static partial class torch
{
    /// <summary>The types of a tensor's elements.</summary>
    public enum ScalarType : sbyte
    {
        /// <summary>Unsigned 8-bit integer.</summary>
        Byte = 0,

        /// <summary>Signed 8-bit integer.</summary>
        Int8 = 1,

        /// <summary>Signed 16-bit integer.</summary>
        Int16 = 2,

        /// <summary>Signed 32-bit integer.</summary>
        Int32 = 3,

        /// <summary>Signed 64-bit integer.</summary>
        Int64 = 4,

        /// <summary>IEEE half precision.</summary>
        Float16 = 5,

        /// <summary>IEEE single precision.</summary>
        Float32 = 6,

        /// <summary>IEEE double precision.</summary>
        Float64 = 7,

        /// <summary>Boolean, one byte.</summary>
        Bool = 11,

        /// <summary>The upper half of a float32.</summary>
        BFloat16 = 15,
    }

    /// <summary>A device: its type and index.</summary>
    public sealed class Device
    {
        /// <summary>Creates a device from text such as <c>cpu</c>, <c>cuda:0</c> or <c>meta</c>.</summary>
        /// <exception cref="ArgumentException">The text names no device.</exception>
        public Device(string description)
        {
            ArgumentNullException.ThrowIfNull(description);
            string[] parts = description.Split(':');
            type = parts[0] switch
            {
                "cpu" => DeviceType.CPU,
                "cuda" => DeviceType.CUDA,
                "meta" => DeviceType.META,
                _ => throw new ArgumentException($"'{description}' is no device: cpu, cuda, cuda:N or meta."),
            };
            index = parts.Length == 1 ? -1 : int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        }

        internal Device(DeviceType type, int index) => (this.type, this.index) = (type, index);

        /// <summary>The kind of device.</summary>
        public DeviceType type { get; }

        /// <summary>Which one of its kind; -1 for the current one.</summary>
        public int index { get; }

        /// <inheritdoc/>
        public override string ToString() =>
            index < 0 ? type.ToString().ToLowerInvariant() : $"{type.ToString().ToLowerInvariant()}:{index}";
    }

    /// <summary>The host.</summary>
    public static Device CPU { get; } = new("cpu");

    /// <summary>Shapes without data.</summary>
    public static Device META { get; } = new("meta");

    /// <summary>A device from text such as <c>cpu</c> or <c>cuda:0</c>.</summary>
    public static Device device(string description) => new(description);

    /// <summary><see cref="ScalarType.Byte"/>.</summary>
    public static ScalarType uint8 => ScalarType.Byte;

    /// <summary><see cref="ScalarType.Int32"/>.</summary>
    public static ScalarType int32 => ScalarType.Int32;

    /// <summary><see cref="ScalarType.Int64"/>.</summary>
    public static ScalarType int64 => ScalarType.Int64;

    /// <summary><see cref="ScalarType.Float16"/>.</summary>
    public static ScalarType float16 => ScalarType.Float16;

    /// <summary><see cref="ScalarType.BFloat16"/>.</summary>
    public static ScalarType bfloat16 => ScalarType.BFloat16;

    /// <summary><see cref="ScalarType.Float32"/>.</summary>
    public static ScalarType float32 => ScalarType.Float32;

    /// <summary><see cref="ScalarType.Float64"/>.</summary>
    public static ScalarType float64 => ScalarType.Float64;

    /// <summary><see cref="ScalarType.Bool"/>.</summary>
    public static ScalarType @bool => ScalarType.Bool;

    /// <summary>CUDA, which Debian's libtorch does not have; applications that want it use TorchSharp's packages.</summary>
    public static class cuda
    {
        /// <summary>Whether a CUDA device can be used: never with this engine.</summary>
        public static bool is_available() => false;

        /// <summary>Waits for a CUDA device to finish its work: nothing to wait for with this engine.</summary>
        public static void synchronize(long device_index = -1)
        {
        }
    }
}

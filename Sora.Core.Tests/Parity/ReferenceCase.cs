using System.Text.Json;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>A call of the reference code: its description in <c>case.json</c>, its tensors in <c>io.safetensors</c>.</summary>
internal sealed class ReferenceCase : IDisposable
{
    private readonly string _folder;
    private readonly JsonDocument _description;
    private readonly SafetensorsFile _tensors;

    public ReferenceCase(string folder)
    {
        _folder = folder;
        _description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "case.json")));
        _tensors = SafetensorsFile.Open(Path.Combine(folder, "io.safetensors"));
    }

    public JsonElement Description => _description.RootElement;

    public IEnumerable<string> Names => _tensors.Entries.Keys;

    public bool Has(string name) => _tensors.Entries.ContainsKey(name);

    /// <summary>The greatest absolute difference that is allowed; with several, the one whose name lists the part.</summary>
    public double Tolerance(string part = "")
    {
        JsonElement tolerance = Description.GetProperty("tolerance_max_abs");
        return tolerance.ValueKind == JsonValueKind.Number
            ? tolerance.GetDouble()
            : tolerance.EnumerateObject().Single(property => property.Name.Split('/').Contains(part)).Value.GetDouble();
    }

    /// <summary>A copy of a tensor, in its own type.</summary>
    public Tensor Get(string name)
    {
        Assert.True(Has(name), $"{_folder} has no {name}.");
        SafetensorsEntry entry = _tensors.Entries[name];
        Tensor copy = empty(entry.Shape, entry.Type switch
        {
            SafetensorsType.F32 => float32,
            SafetensorsType.F64 => float64,
            SafetensorsType.I64 => int64,
            SafetensorsType.I32 => int32,
            SafetensorsType.U8 => uint8,
            _ => throw new InvalidDataException($"{_folder}: {name} is stored as {entry.Type}."),
        });
        _tensors.Bytes(entry).CopyTo(copy.bytes);
        return copy;
    }

    /// <summary>The values of a tensor as numbers of one type.</summary>
    public float[] Numbers(string name) => Get(name).to(float32).data<float>().ToArray();

    public long[] Integers(string name) => Get(name).to(int64).data<long>().ToArray();

    /// <summary>Asserts that a tensor equals the reference's, and has its shape.</summary>
    public void Close(string name, Tensor actual, double tolerance) => Close(name, Get(name), actual, tolerance);

    public void Close(string name, Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        // Written so that a NaN fails.
        float difference = (expected.to(float32) - actual.to(float32)).abs().max().item<float>();
        Assert.True(difference <= tolerance, $"{_folder}: {name} differs by {difference}; allowed: {tolerance}.");
    }

    public void Dispose()
    {
        _tensors.Dispose();
        _description.Dispose();
    }
}

using System.Text.Json;
using Sora.Layers;

namespace Sora.Weights;

/// <summary>
/// The tensors that lie beside a module's quantised <c>weight</c> in ComfyUI's files and say how to read it: its scale, and
/// what only 8-bit matrix products need. Two spellings are in use: <c>scale_weight</c> and <c>scale_input</c> with one tensor
/// <c>scaled_fp8</c> for the whole file, and <c>weight_scale</c> and <c>input_scale</c> with a <c>comfy_quant</c> a module.
/// </summary>
/// <remarks>As ComfyUI reads them: comfy/utils.py, convert_old_quants; comfy/ops.py, mixed_precision_ops.</remarks>
internal sealed class Float8Scales
{
    /// <summary>Texts such as <c>{"format": "float8_e4m3fn"}</c> are far shorter.</summary>
    private const int LongestQuantization = 4096;

    private static readonly string[] KnownFormats = ["float8_e4m3fn", "float8_e5m2"];
    private static readonly float[] Unscaled = [1];

    private readonly WeightFiles _files;
    private readonly Dictionary<string, string> _scaleNames = [];
    private readonly HashSet<string> _companions = [];

    /// <exception cref="SoraException">A weight has two scales, or a quantisation that is not known.</exception>
    public Float8Scales(WeightFiles files)
    {
        _files = files;
        HashSet<string> names = [.. files.Names];
        foreach (string name in names)
        {
            (string weight, string kind) = (name[..(name.LastIndexOf('.') + 1)] + "weight", name[(name.LastIndexOf('.') + 1)..]);
            if (kind == "scaled_fp8")
                _companions.Add(name);
            else if (names.Contains(weight))
                Add(name, kind, weight);
        }
    }

    /// <summary>Whether a tensor is no weight itself.</summary>
    public bool IsCompanion(string name) => _companions.Contains(name);

    /// <summary>What the stored numbers of a tensor are to be multiplied with: one factor, or one for each row.</summary>
    /// <exception cref="SoraException">The scale's shape fits neither.</exception>
    public float[] Of(SafetensorsEntry weight)
    {
        if (!_scaleNames.TryGetValue(weight.Name, out string? name))
            return Unscaled;
        SafetensorsEntry scale = _files.Require(name);
        long rows = weight.Shape.Length > 0 ? weight.Shape[0] : 1;
        if (scale.ElementCount != 1 && (scale.ElementCount != rows || scale.Shape[0] != rows))
            throw new SoraException($"{_files.PathOf(name)}: {name} has shape [{string.Join(", ", scale.Shape)}]; "
                + $"allowed beside {weight.Name} [{string.Join(", ", weight.Shape)}]: one number, or one for each of its {rows} rows.");
        using DisposeScope scope = NewDisposeScope();
        ScalarType type = scale.Type.Engine()
            ?? throw new SoraException($"{_files.PathOf(name)}: {name} is stored as {scale.Type.HeaderName()}; a scale is F32, F16, BF16 or F64.");
        return EngineMemory.View(_files.Pointer(name), [scale.ElementCount], type).to(float32).data<float>().ToArray();
    }

    private void Add(string name, string kind, string weight)
    {
        switch (kind)
        {
            case "scale_weight" or "weight_scale":
                if (!_scaleNames.TryAdd(weight, name))
                    throw new SoraException($"{_files.PathOf(name)}: {weight} has two scales, {_scaleNames[weight]} and {name}.");
                _companions.Add(name);
                break;
            case "scale_input" or "input_scale":
                _companions.Add(name);
                break;
            case "comfy_quant":
                RequireKnown(name, weight);
                _companions.Add(name);
                break;
            default:
                break;
        }
    }

    private void RequireKnown(string name, string weight)
    {
        SafetensorsEntry entry = _files.Require(name);
        if (entry.Type != SafetensorsType.U8 || entry.ByteLength > LongestQuantization)
            throw new SoraException($"{_files.PathOf(name)}: {name} is {entry}; a quantisation is a text in U8, of {LongestQuantization} bytes at most.");
        string format;
        try
        {
            var reader = new Utf8JsonReader(_files.Bytes(name));
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            format = document.RootElement.GetProperty("format").GetString() ?? "null";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new SoraException($"{_files.PathOf(name)}: {name} is not a JSON object with a text \"format\": {e.Message}", e);
        }
        if (!KnownFormats.Contains(format))
            throw new SoraException($"{_files.PathOf(name)}: {weight} is quantised as '{format}'; known: {string.Join(", ", KnownFormats)}.");
    }
}

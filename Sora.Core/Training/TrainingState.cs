using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// A training's whole state in one safetensors file: parameters, averages, optimiser. The file appears under its name
/// only when it is complete, so a kill at any moment leaves the one before.
/// </summary>
public static class TrainingState
{
    /// <summary>Writes tensors, with numbers beside them.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The tensors by name, float32.</param>
    /// <param name="numbers">Counters and settings.</param>
    public static void Save(string path, IEnumerable<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string> numbers) =>
        SafetensorsWriter.Write(path, tensors.Select(t => new SafetensorsContent(t.Name, SafetensorsType.F32, t.Tensor.shape, stream => TensorData.Write(t.Tensor, float32, stream))), numbers);

    /// <summary>Reads a state back into tensors of the same names and shapes.</summary>
    /// <returns>The numbers that were saved beside them.</returns>
    /// <exception cref="SoraException">A tensor is missing or has another shape.</exception>
    public static IReadOnlyDictionary<string, string> Load(string path, IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        using IDisposable noGrad = no_grad();
        foreach ((string name, Tensor tensor) in tensors)
        {
            if (!file.Entries.TryGetValue(name, out SafetensorsEntry? entry))
                throw new SoraException($"{path} has no tensor {name}; it belongs to another training.");
            if (!entry.Shape.SequenceEqual(tensor.shape))
                throw new SoraException($"{path}: {name} has shape [{string.Join(", ", entry.Shape)}]; this training's has [{string.Join(", ", tensor.shape)}].");
            if (tensor.device_type == DeviceType.CPU)
            {
                TensorData.Read(file, entry, tensor);
                continue;
            }
            using Tensor host = empty(entry.Shape, float32);
            TensorData.Read(file, entry, host);
            tensor.copy_(host);
        }
        return file.Metadata;
    }

    /// <summary>A tensor as a part of a safetensors file, in float32 or bfloat16.</summary>
    public static SafetensorsContent ContentOf(string name, Tensor tensor, ScalarType type)
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor flat = tensor.detach().cpu().to(type).contiguous();
        return new(name, type == bfloat16 ? SafetensorsType.BF16 : SafetensorsType.F32, tensor.shape, flat.bytes.ToArray());
    }
}

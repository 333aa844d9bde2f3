using Sora.Layers;

namespace Sora.Weights;

/// <summary>
/// The weights of one network as named tensors, whatever files they come from. Names are those of diffusers and
/// transformers once <see cref="RenamedStore"/> has translated what the files hold. Reading from several threads is safe.
/// </summary>
internal abstract class WeightStore : IDisposable
{
    /// <summary>The file or folder that was opened, for messages.</summary>
    public abstract string Location { get; }

    /// <summary>The names of all tensors.</summary>
    public abstract IReadOnlyCollection<string> Names { get; }

    /// <summary>The names that <see cref="Read"/> was not asked for.</summary>
    public abstract IReadOnlyList<string> UnusedNames { get; }

    /// <summary>Whether there is a tensor of this name.</summary>
    public abstract bool Contains(string name);

    /// <summary>The sizes of a tensor, row-major, slowest first.</summary>
    /// <exception cref="SoraException">There is no such tensor.</exception>
    public abstract IReadOnlyList<long> ShapeOf(string name);

    /// <summary>The file that holds a tensor, for messages.</summary>
    /// <exception cref="SoraException">There is no such tensor.</exception>
    public abstract string PathOf(string name);

    /// <summary>How the file stores a tensor, in the format's own word: <c>BF16</c>, <c>F8_E4M3</c>, <c>Q4_K</c>.</summary>
    /// <exception cref="SoraException">There is no such tensor.</exception>
    public abstract string StoredTypeOf(string name);

    /// <summary>
    /// The values of a tensor. Where they are stored in this type and wanted on the CPU, Sora.Torch looks at them in the
    /// mapped file, so the tensor must not outlive the store; else they are converted once, into memory of their own.
    /// </summary>
    /// <exception cref="SoraException">There is no such tensor, or its stored type holds no real numbers.</exception>
    public abstract Tensor Read(string name, ScalarType type, Device device);

    /// <summary>
    /// Writes the values of a tensor into the memory of another. For those who read a layer at each use of it: the pages of
    /// memory that is new to the process cost more than dequantising the numbers that go there.
    /// </summary>
    /// <param name="name">The tensor to read.</param>
    /// <param name="target">A contiguous tensor of the same shape, of any type and on any device.</param>
    /// <exception cref="SoraException">There is no such tensor, or its stored type holds no real numbers.</exception>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void ReadInto(string name, Tensor target)
    {
        IReadOnlyList<long> shape = ShapeOf(name);
        if (!shape.SequenceEqual(target.shape) || !target.is_contiguous())
            throw new ArgumentException($"{name} has shape [{string.Join(", ", shape)}]; it does not go into [{string.Join(", ", target.shape)}].", nameof(target));
        Fill(name, target);
    }

    /// <summary>Closes the files.</summary>
    public abstract void Dispose();

    /// <summary>Writes the values of a tensor into another, contiguous and of the same shape.</summary>
    protected internal virtual void Fill(string name, Tensor target)
    {
        using Tensor read = Read(name, target.dtype, target.device);
        target.copy_(read);
    }

    /// <summary>Whether conversions can write where a tensor lies.</summary>
    protected static bool IsDirect(Tensor target) =>
        target.device.type == DeviceType.CPU && (target.dtype == bfloat16 || target.dtype == float32);

    /// <summary>What to say where a name is absent: the place, how many names it has and the nearest.</summary>
    protected SoraException Missing(string name)
    {
        string nearest = NearestName.Find(name, Names) is { } found ? $"; nearest: '{found}'" : "";
        return new SoraException($"{Location}: there is no tensor '{name}' among its {Names.Count}{nearest}.");
    }

    /// <summary>Numbers of an engine type that lie at an address, as a tensor of another type or place.</summary>
    protected static Tensor Numbers(nint address, IReadOnlyList<long> shape, ScalarType stored, ScalarType type, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(EngineMemory.View(address, shape, stored).to(type).to(device));
    }
}

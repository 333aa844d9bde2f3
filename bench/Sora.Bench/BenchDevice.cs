namespace Sora.Bench;

/// <summary>The device that the networks' benchmarks run on: <c>--device</c>, by default the CPU.</summary>
internal static class BenchDevice
{
    public static Device Current { get; private set; } = CPU;

    /// <summary>Chooses it by name.</summary>
    /// <returns>Whether the engine has it.</returns>
    public static bool TryChoose(string name)
    {
        if (name != "cpu" && !cuda.is_available())
            return false;
        Current = device(name);
        return true;
    }

    /// <summary>Waits until the device has computed what it was given: a GPU returns from a call before it has.</summary>
    public static void Finish()
    {
        if (Current.type != DeviceType.CPU)
            cuda.synchronize();
    }

    /// <summary>Normal random numbers on the device.</summary>
    public static Tensor Random(long[] shape, string stream, ScalarType type = ScalarType.Float32)
    {
        using DisposeScope scope = NewDisposeScope();
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        new Latents.GaussianNoise(1, stream).Fill(values);
        return scope.MoveToOuter(tensor(values, shape).to(type).to(Current));
    }
}

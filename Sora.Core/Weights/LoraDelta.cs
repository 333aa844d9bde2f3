namespace Sora.Weights;

/// <summary>What one entry of a LoRA file adds to one parameter at scale 1.</summary>
/// <param name="Shape">The shape that the parameter must have.</param>
/// <param name="Factor">alpha / rank; 1 for full differences and where the file has no alpha.</param>
internal abstract record LoraDelta(long[] Shape, double Factor)
{
    /// <summary>The entry in words, for messages.</summary>
    public abstract string Source { get; }

    /// <summary>sum + scale·factor·delta, in float32; the sum stays as it is.</summary>
    /// <param name="sum">A tensor of <see cref="Shape"/>, float32, on any device.</param>
    /// <param name="tensors">The file.</param>
    /// <param name="scale">The scale that the user gives.</param>
    public Tensor AddTo(Tensor sum, LoraTensors tensors, double scale)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(sum + Evaluate(tensors, sum.device, scale * Factor).view(Shape));
    }

    /// <summary>The difference in float32, times a factor.</summary>
    protected abstract Tensor Evaluate(LoraTensors tensors, Device device, double factor);
}

/// <summary>A product of two matrices of low rank (Hu et al. 2021, "LoRA"): up [out, r] · down [r, in].</summary>
/// <param name="Up">The second matrix; that of a convolution has kernel 1.</param>
/// <param name="Down">The first matrix; that of a convolution has its kernel.</param>
/// <param name="Factor">alpha / rank.</param>
internal sealed record LowRankDelta(SafetensorsEntry Up, SafetensorsEntry Down, double Factor)
    : LoraDelta([Up.Shape[0], .. Down.Shape[1..]], Factor)
{
    /// <summary>r.</summary>
    public long Rank => Down.Shape[0];

    public override string Source => $"'{Up.Name}' with '{Down.Name}'";

    // The factor goes to the small matrix: the product is as large as the weight.
    protected override Tensor Evaluate(LoraTensors tensors, Device device, double factor) =>
        matmul(tensors.Read(Up).to(device).flatten(1), tensors.Read(Down).to(device).flatten(1) * factor);
}

/// <summary>A difference of full size.</summary>
/// <param name="Difference">The tensor.</param>
/// <param name="Factor">1, but for peft's bias of the up matrix, which has the factor of its product.</param>
internal sealed record FullDelta(SafetensorsEntry Difference, double Factor = 1) : LoraDelta(Difference.Shape, Factor)
{
    public override string Source => $"'{Difference.Name}'";

    protected override Tensor Evaluate(LoraTensors tensors, Device device, double factor) =>
        tensors.Read(Difference).to(device) * factor;
}

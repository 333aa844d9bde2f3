using Sora.Tests.Engine;
using Sora.Training;
using Sora.Training.Metrics;

namespace Sora.Tests.Training;

/// <summary>The smallest training: y = W·x + b from examples, so many at a time, in the order of the batches' numbers.</summary>
internal sealed class LineFit : ITrainingTask, IDisposable
{
    private const int Examples = 512, Inputs = 6, Outputs = 3;

    private readonly int _rows;
    private readonly Tensor _x = RandomTensor.Create(1, Examples, Inputs).DetachFromDisposeScope();
    private readonly Tensor _y;

    public LineFit(int rows = 8)
    {
        using DisposeScope scope = NewDisposeScope();
        _rows = rows;
        _y = _x.matmul(RandomTensor.Create(2, Inputs, Outputs)).DetachFromDisposeScope();
        Weight = new Parameter(zeros([Inputs, Outputs]).DetachFromDisposeScope());
        Bias = new Parameter(zeros([Outputs]).DetachFromDisposeScope());
        Weight.DetachFromDisposeScope();
        Bias.DetachFromDisposeScope();
    }

    public Parameter Weight { get; }

    public Parameter Bias { get; }

    /// <summary>Changes the loss of a batch.</summary>
    public Func<long, Tensor, Tensor> Change { get; init; } = (_, loss) => loss;

    /// <summary>Whether Muon trains the matrix.</summary>
    public bool Muon { get; init; } = true;

    /// <summary>The batches that were asked for.</summary>
    public List<long> Batches { get; } = [];

    /// <summary>How often a checkpoint was told.</summary>
    public int Checkpoints { get; private set; }

    public IReadOnlyDictionary<string, Parameter> Parameters => new Dictionary<string, Parameter> { ["weight"] = Weight, ["bias"] = Bias };

    public string Unit => "examples";

    public long Size => _rows;

    public double? Operations => 6.0 * _rows * Inputs * Outputs;

    public bool IsHidden(string name, Parameter parameter) => Muon && parameter.ndim == 2;

    public Tensor Loss(long batch)
    {
        Batches.Add(batch);
        Tensor x = _x.narrow(0, batch * _rows % Examples, _rows), y = _y.narrow(0, batch * _rows % Examples, _rows);
        return Change(batch, (x.matmul(Weight) + Bias - y).square().mean());
    }

    public void Backward(Tensor loss) => loss.backward();

    public IReadOnlyList<(string Name, double Value)> Validate()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        return [("error", (_x.matmul(Weight) + Bias - _y).square().mean().item<float>())];
    }

    public void CheckpointWritten() => Checkpoints++;

    public PngImage? WriteSamples(string path, CancellationToken cancellationToken)
    {
        byte[] png = [1, 2, 3];
        File.WriteAllBytes(path, png);
        return new(png, 1, 1);
    }

    public void Finished(Action<string> log) => log("finished");

    public void Dispose()
    {
        _x.Dispose();
        _y.Dispose();
        Weight.Dispose();
        Bias.Dispose();
    }
}

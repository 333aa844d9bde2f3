using Sora.Training.Metrics;

namespace Sora.Training;

/// <summary>What <see cref="TrainingLoop"/> trains.</summary>
internal interface ITrainingTask
{
    /// <summary>What is trained, by name.</summary>
    IReadOnlyDictionary<string, Parameter> Parameters { get; }

    /// <summary>What <see cref="Size"/> counts, in the plural.</summary>
    string Unit { get; }

    /// <summary>How much the batch that was last asked for teaches.</summary>
    long Size { get; }

    /// <summary>Floating-point operations of that batch's loss and gradient; null where they are not counted.</summary>
    double? Operations { get; }

    /// <summary>Whether Muon moves the parameter: a matrix inside the network. AdamW moves the others.</summary>
    bool IsHidden(string name, Parameter parameter);

    /// <summary>
    /// The loss of a batch, a scalar. The batch and everything random in it are functions of its number, so that a training
    /// resumes by its step alone. Tensors belong to the caller's dispose scope.
    /// </summary>
    /// <param name="batch">Its number: step, part of the step and rank, counted through from 0.</param>
    Tensor Loss(long batch);

    /// <summary>Adds the gradients of a loss that <see cref="Loss"/> returned, perhaps scaled, to the parameters'.</summary>
    void Backward(Tensor loss);

    /// <summary>How good the network is on clips that it does not learn from, by name. The parameters hold their averages.</summary>
    IReadOnlyList<(string Name, double Value)> Validate();

    /// <summary>Told after a checkpoint was written. The parameters hold their averages.</summary>
    void CheckpointWritten();

    /// <summary>Makes a picture of samples from what <see cref="CheckpointWritten"/> left; null where there are none to make.</summary>
    /// <param name="path">The PNG file.</param>
    /// <param name="cancellationToken">Honoured within a sampling step.</param>
    PngImage? WriteSamples(string path, CancellationToken cancellationToken);

    /// <summary>Told after the last step and its checkpoint. The parameters hold their averages.</summary>
    void Finished(Action<string> log);
}

"""What another client of AWS sees: `client.py seen REGION` prints a line for each resource, and
`client.py import-key REGION NAME FILE` makes a key pair as a person would."""
import sys

import boto3

verb, region = sys.argv[1:3]
ec2 = boto3.client('ec2', region_name=region)


def every(client, operation, key, **more):
    if not client.can_paginate(operation):
        return getattr(client, operation)(**more)[key]
    return [one for page in client.get_paginator(operation).paginate(**more) for one in page[key]]


def name(one):
    return next((tag['Value'] for tag in one.get('Tags', []) if tag['Key'] == 'Name'), '-')


if verb == 'import-key':
    with open(sys.argv[4], 'rb') as file:
        ec2.import_key_pair(KeyName=sys.argv[3], PublicKeyMaterial=file.read())
    sys.exit()

lines = []
for vpc in every(ec2, 'describe_vpcs', 'Vpcs'):
    if not vpc['IsDefault']:
        lines.append(f"network {name(vpc)} {vpc['CidrBlock']}")
for gateway in every(ec2, 'describe_internet_gateways', 'InternetGateways'):
    lines.append(f"gateway {name(gateway)} {len(gateway['Attachments'])}")
for subnet in every(ec2, 'describe_subnets', 'Subnets'):
    if not subnet['DefaultForAz']:
        lines.append(f"subnet {name(subnet)} {subnet['CidrBlock']} {subnet['AvailabilityZone']}")
for group in every(ec2, 'describe_security_groups', 'SecurityGroups'):
    if group['GroupName'] != 'default':
        lines.append(f"group {group['GroupName']} {len(group['IpPermissions'])}")
for pair in every(ec2, 'describe_key_pairs', 'KeyPairs'):
    lines.append(f"key {pair['KeyName']}")
for reservation in every(ec2, 'describe_instances', 'Reservations'):
    for machine in reservation['Instances']:
        if machine['State']['Name'] != 'terminated':
            zone = machine['Placement']['AvailabilityZone']
            lines.append(f"machine {name(machine)} {machine['State']['Name']} {machine['InstanceType']} {zone}")
for volume in every(ec2, 'describe_volumes', 'Volumes'):
    lines.append(f"volume {name(volume)} {volume['State']} {volume['Size']} {volume['VolumeType']}")
for address in every(ec2, 'describe_addresses', 'Addresses'):
    lines.append(f"address {name(address)} {'given' if 'InstanceId' in address else 'idle'}")
balancing = boto3.client('elbv2', region_name=region)
for balancer in every(balancing, 'describe_load_balancers', 'LoadBalancers'):
    lines.append(f"balancer {balancer['LoadBalancerName']} {balancer['Type']} {balancer['Scheme']}")
for group in every(balancing, 'describe_target_groups', 'TargetGroups'):
    health = balancing.describe_target_health(TargetGroupArn=group['TargetGroupArn'])
    lines.append(f"targets {group['TargetGroupName']} {len(health['TargetHealthDescriptions'])}")
kubernetes = boto3.client('eks', region_name=region)
for cluster in every(kubernetes, 'list_clusters', 'clusters'):
    state = kubernetes.describe_cluster(name=cluster)['cluster']['status']
    for nodes in every(kubernetes, 'list_nodegroups', 'nodegroups', clusterName=cluster):
        told = kubernetes.describe_nodegroup(clusterName=cluster, nodegroupName=nodes)['nodegroup']
        lines.append(f"cluster {cluster} {state} {told['status']} {told['scalingConfig']['desiredSize']}")
print('\n'.join(sorted(lines)))
